"""A worker process: the loop around the scheduler and the socket, in one thread.

In: a socket to the serving process, whose number is the argument; Start, then orders. Out: Ready or StartFailed, then
turns and replies. What to compute next is the scheduler's business (scheduler.py); orders that came meanwhile are taken
before its next turn, so that a large one in front of a small one costs it no more than its own length. Run by
workers/subprocess_transport.py.
"""

import contextlib
import ctypes
import logging
import os
import select
import signal
import socket
import sys
import time

from motionscribe_models.repository import Repository
from motionscribe_server.engine.codec import Decoder, encode
from motionscribe_server.engine.inference import Inference
from motionscribe_server.engine.messages import EngineInfo, FromServer, Ready, Reply, Start, StartFailed, Turn
from motionscribe_server.engine.scheduler import Scheduler, Served
from motionscribe_server.session.model import ServedModel

RECEIVED = 1 << 20
PR_SET_PDEATHSIG = 1
BEFORE_A_TURN = 8 << 20
"""Bytes of orders, some of the largest messages, that are taken before a turn; more of them wait for the next."""
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def main() -> None:
    """Serves the socket until it is closed."""
    # the serving process drains on all of them, and closes the socket when it has
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _end_with_parent()
    connection = socket.socket(fileno=int(sys.argv[1]))
    with contextlib.suppress(ConnectionError):  # the serving process is gone
        serve(connection)


def _end_with_parent() -> None:
    """Has Linux kill this process when the serving one ends, though it be stopped or amid a batch.

    Elsewhere it ends when it next turns to its socket, as it does where the other has ended before this.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _yield_processor() -> None:
    """All other processes come first. With a low priority in place of this, streams were half as late again."""
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(19)


def serve(connection: socket.socket) -> None:
    """Loads what Start says, then answers orders until the connection ends. Raises CodecError, ConnectionError."""
    decoder = Decoder(FromServer)
    received: list[Start] = []
    while not received:
        data = connection.recv(RECEIVED)
        if not data:
            return
        received = decoder.feed(data)
    (start,) = received
    logging.basicConfig(level=start.log_level.upper(), format=LOG_FORMAT)
    try:
        scheduler, engines = started(start)
    except Exception as error:
        connection.sendall(encode([StartFailed(error)]))
        return
    if start.yields:
        _yield_processor()
    connection.sendall(encode([Ready(tuple(engines.items()))]))
    _take_turns(connection, decoder, scheduler)


def started(start: Start) -> tuple[Scheduler, dict[str, EngineInfo]]:
    """A scheduler with its models loaded, and how each runs, by its key. Raises ContractError."""
    repository = Repository(start.models, start.model_keys)
    models: dict[str, Served] = {}
    engines: dict[str, EngineInfo] = {}
    for name, version in start.load:
        bundle = repository.load(name, version)
        engine = Inference(bundle, start.variant, start.batch_sizes, start.threads)
        model = ServedModel(bundle)
        models[model.key] = Served(model, engine)
        engines[model.key] = EngineInfo(engine.variant, engine.provider, engine.describe(), engine.refusals)
    return Scheduler(models, start.batch_sizes, time.monotonic), engines


def _take_turns(connection: socket.socket, decoder: Decoder, scheduler: Scheduler) -> None:
    while True:
        outgoing: list[Turn | Reply] = []
        taken, wait_s = 0, scheduler.next_turn_in_s
        while taken < BEFORE_A_TURN and select.select([connection], [], [], wait_s)[0]:
            data = connection.recv(RECEIVED)
            if not data:
                return
            replies = [reply for order in decoder.feed(data) if (reply := scheduler.receive(order))]
            # events of an edit come before the reply to it
            outgoing += [scheduler.collect(), *replies] if replies else []
            taken, wait_s = taken + len(data), 0.0
        if scheduler.next_turn_in_s == 0.0:
            outgoing.append(scheduler.turn())
        if outgoing:
            connection.sendall(encode(outgoing))


if __name__ == "__main__":
    main()
