"""What signals do to a server that runs, or starts.

SIGTERM, SIGINT and SIGHUP begin a drain; while the server starts, they end it. SIGHUP is what the terminal says when it
closes: settings are not read again, and under nohup it stays without effect, as nohup promises. Again, SIGTERM and
SIGHUP change nothing, since whoever sends them may repeat himself. A second SIGINT is somebody at a keyboard who does
not want to wait: the process ends at once, and its workers with it (engine/main.py).
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from typing import NoReturn


def handle_signals(drain: Callable[[], None]) -> None:
    """From now on, in the running loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, drain)

    def interrupt() -> None:
        drain()
        loop.add_signal_handler(signal.SIGINT, end_at_once, 128 + signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, interrupt)


def ignore_signals() -> None:
    """All is done: whoever repeats himself does not change the exit status any more."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


def end_at_once(status: int) -> NoReturn:
    """Ends the process without waiting for anything, threads included."""
    logging.shutdown()
    os._exit(status)
