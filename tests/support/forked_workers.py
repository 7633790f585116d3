"""Worker processes for servers of tests: copies of a process that has imported all that a worker needs.

Importing is three quarters of a worker's start, and tests start hundreds. What a worker is when its own command starts
it: tests/server/workers/test_subprocess_transport.py, and all that starts motionscribe-server.
"""

import atexit
import contextlib
import gc
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import traceback
import weakref
from functools import cache

from motionscribe_server.engine import main as worker

NUMBER = struct.Struct("i")


class Copy(subprocess.Popen[bytes]):
    """A process whose parent is the one that it is a copy of. That one tells its number, and its status at its end."""

    def __init__(self, told: socket.socket) -> None:
        self.args = "a copied worker"
        self.returncode: int | None = None
        self._told = told
        weakref.finalize(self, told.close)  # __del__ would come too late where both are garbage at once
        (self.pid,) = NUMBER.unpack(told.recv(NUMBER.size))

    def poll(self) -> int | None:
        """See Popen."""
        return self._look(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """See Popen."""
        status = self._look(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return status

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            # left there for other threads that wait at the same time
            (self.returncode,) = NUMBER.unpack(self._told.recv(NUMBER.size, socket.MSG_PEEK))
        return self.returncode


def copy_process(socket_number: int) -> Copy:
    """As start_process of subprocess_transport.py does."""
    told, tells = socket.socketpair()
    with tells:
        # what a test captures now is where the copy writes
        socket.send_fds(_original(), [b"1"], [socket_number, tells.fileno(), 1, 2])
    return Copy(told)


@cache
def _original() -> socket.socket:
    """Where copies are asked for; it ends with this process."""
    ours, theirs = socket.socketpair()
    with theirs:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "tests.support.forked_workers", str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment, process_group=0)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def main() -> None:
    """Makes a copy for each byte that comes, until the other end is closed."""
    asked = socket.socket(fileno=int(sys.argv[1]))
    telling: dict[int, socket.socket] = {}

    def tell_ends(*_: object) -> None:
        for pid in list(telling):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with telling.pop(pid) as tells:
                    _tell(tells, os.waitstatus_to_exitcode(status))

    signal.signal(signal.SIGCHLD, tell_ends)
    gc.freeze()  # copies share what they do not touch
    while (received := socket.recv_fds(asked, 1, 4))[0]:
        connection, number, output, errors = received[1]
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        if not (pid := os.fork()):
            asked.close()
            os.close(number)
            _work(connection, output, errors)
        telling[pid] = socket.socket(fileno=number)
        _tell(telling[pid], pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        for number in (connection, output, errors):
            os.close(number)


def _tell(tells: socket.socket, number: int) -> None:
    with contextlib.suppress(ConnectionError):  # whoever asked is gone
        tells.send(NUMBER.pack(number))


def _work(connection: int, output: int, errors: int) -> None:
    """Never returns."""
    status = 1
    try:
        os.setpgid(0, 0)
        os.dup2(output, 1)
        os.dup2(errors, 2)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        sys.argv[1:] = [str(connection)]
        worker.main()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
