"""The command motionscribe-server; where an extra is missing, the pip command that installs it."""

import os
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NoReturn

from motionscribe_models.errors import MissingExtraError


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status of command.run; 2 when a package is missing."""
    if arguments is None:  # this is the process, and nobody who calls a function
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _end_before_start)
    try:
        from motionscribe_server.command import run

        # only workers import it
        if find_spec("onnxruntime") is None:
            raise MissingExtraError("server-cpu", "onnxruntime")
    except ImportError as error:
        if error.name and error.name.startswith("motionscribe"):
            raise
        missing = error if isinstance(error, MissingExtraError) else MissingExtraError("server-cpu", str(error.name))
        print(f"motionscribe-server: {missing}", file=sys.stderr)
        return 2
    return run(arguments)


def _end_before_start(_number: int, _frame: object) -> NoReturn:
    """Nothing has begun; from the start of the loop on, signals.py has the say."""
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
