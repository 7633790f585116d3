"""A process that computes: sessions and engines, without network, in one thread.

In: orders of the serving process, for many streams at once. Out: replies, and what became of frames. A turn is one
batch: the streams that have waited longest, each with its steps up to the next window; whoever was served goes to the
end of the queue, and orders that came meanwhile are taken before the next one. No stream waits for a batch to fill up.
`Scheduler` is what it knows, `main` the loop around it. Run by pool.py.
"""

import contextlib
import logging
import select
import signal
import socket
import sys
import time

from motionscribe_models.repository import Repository
from motionscribe_server.engine.inference import Inference
from motionscribe_server.engine.messages import (
    EngineInfo,
    Hello,
    Reply,
    Start,
    Turn,
    Unpacker,
    pack,
)
from motionscribe_server.engine.scheduler import Scheduler, Served
from motionscribe_server.session.model import ServedModel

RECEIVED = 1 << 20
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def main() -> None:
    """Serves the socket whose number is the argument, until it is closed."""
    # the serving process drains on both, and closes the socket when it has
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection = socket.socket(fileno=int(sys.argv[1]))
    unpacker = Unpacker()
    while not (orders := unpacker.feed(connection.recv(RECEIVED))):
        pass
    start: Start = orders[0]
    logging.basicConfig(level=start.log_level.upper(), format=LOG_FORMAT)
    try:
        worker, hello = started(start)
    except Exception as error:
        connection.sendall(pack([error]))
        return
    connection.sendall(pack([hello]))
    with contextlib.suppress(ConnectionError):  # the serving process is gone
        _serve(connection, unpacker, worker)


def _serve(connection: socket.socket, unpacker: Unpacker, worker: Scheduler) -> None:
    while True:
        ready, _, _ = select.select([connection], [], [], worker.next_turn_in_s)
        said: list[Turn | Reply] = []
        if ready:
            data = connection.recv(RECEIVED)
            if not data:
                return
            replies = [reply for order in unpacker.feed(data) if (reply := worker.receive(order))]
            said += [worker.tell(), *replies] if replies else []
        if worker.next_turn_in_s == 0.0:
            said.append(worker.turn())
        if said:
            connection.sendall(pack(said))


def started(start: Start) -> tuple[Scheduler, Hello]:
    """A worker with its models. Raises ContractError for one that cannot be served."""
    repository = Repository(start.models, start.model_keys)
    models: dict[str, Served] = {}
    hello: Hello = {}
    for name, version in start.load:
        bundle = repository.load(name, version)
        engine = Inference(bundle, start.variant, start.batch_sizes, start.threads)
        model = ServedModel(bundle)
        models[model.key] = Served(model, engine)
        hello[model.key] = EngineInfo(engine.variant, engine.provider, engine.describe(), engine.refusals)
    return Scheduler(models, start.batch_sizes, time.monotonic), hello


if __name__ == "__main__":
    main()
