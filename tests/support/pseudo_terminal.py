"""A command in a pseudo-terminal: what a person would see, byte by byte."""

import errno
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What rich sends to move the cursor and to colour."""


def run_in_terminal(*arguments: object, columns: int, rows: int = 100) -> str:
    """Everything that `motionscribe ARGUMENTS` writes to a terminal of this size."""
    reading, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "motionscribe", *map(str, arguments)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment | {"TERM": "xterm-256color"},
    )
    os.close(terminal)
    written = b""
    try:
        while data := os.read(reading, 65536):
            written += data
    except OSError as error:
        if error.errno != errno.EIO:  # Linux: nobody has the terminal open any more
            raise
    finally:
        os.close(reading)
        process.wait(30)
    return written.decode()
