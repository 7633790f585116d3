"""Names and merges that users give while servers die, and what becomes of them: `python -m benchmarks.faults.edits`.

CLIENTS send real recordings at their own pace as durable streams. In every round a user names a cluster or merges two
of each stream, and meanwhile, a moment sooner or later, a worker or the server is killed, in turn.

`lost` counts frames that no final label covers, `repeated` those that several do, `undone` the edits that a user was
answered and that the stream's clusters do not show at its end; `edits` were answered.
"""

import argparse
import asyncio
import itertools
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.listeners import WALKING, pieces
from benchmarks.faults.processes import Process, free_port
from benchmarks.results import Numbers, exactly, save
from motionscribe import AsyncClient, Backoff
from motionscribe.errors import MotionscribeError
from motionscribe_models.recordings import Recording
from motionscribe_proto.events import Label

CLIENTS = 8
CALM_S = (2.0, 6.0)
"""Between two rounds, at random."""
SOONER_S = 0.3
"""The kill comes at most so long after the edit was asked for."""


@dataclass
class Played:
    """One stream, and what its user was answered."""

    id: str
    names: dict[int, str] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    unsure: set[int] = field(default_factory=set)
    """Clusters of which an edit ended with an error, so that nobody knows whether it was made."""


class Users:
    """Streams one after the other for each client, and edits of those that play."""

    def __init__(self, data: Path, rng: random.Random) -> None:
        self._rng = rng
        self._pieces = pieces(data, WALKING)
        self._playing: dict[int, Played] = {}
        self._over = asyncio.Event()
        self.counts = Counter(streams=0, edits=0, lost=0, repeated=0, undone=0, failures=0)

    async def run(self, client: AsyncClient) -> None:
        """Until `stop`, and to the end of the streams that play by then."""
        await asyncio.gather(*(self._listen(client, number) for number in range(CLIENTS)))

    def stop(self) -> None:
        """No more streams begin."""
        self._over.set()

    async def edit_all(self, client: AsyncClient) -> None:
        """One edit of each stream that plays."""
        await asyncio.gather(*(self._edit(client, played) for played in list(self._playing.values())))

    async def _listen(self, client: AsyncClient, number: int) -> None:
        for turn in itertools.count():
            piece = self._pieces[(number + turn * CLIENTS) % len(self._pieces)]
            played = self._playing[number] = Played(f"user-{number}-{turn}")
            try:
                await self._play(client, piece, played)
                await self._compare(client, played)
            except MotionscribeError as error:
                print(f"{type(error).__name__}: {error}")
                self.counts["failures"] += 1
            if self._over.is_set():
                del self._playing[number]
                return

    async def _play(self, client: AsyncClient, piece: Recording, played: Played) -> None:
        covered: Counter[int] = Counter()
        while True:
            try:
                stream = client.stream(piece, stream_id=played.id, durable=True, provisional=False, realtime=1.0)
                await stream.open()
                break
            except ConnectionError:  # as any client would that finds no server just now
                await asyncio.sleep(0.2)
        async with stream:
            async for event in stream:
                if isinstance(event, Label):
                    covered.update(range(event.start_seq, event.end_seq))
        self.counts["streams"] += 1
        self.counts["lost"] += sum(not covered[seq] for seq in range(1, len(piece.frames) + 1))
        self.counts["repeated"] += sum(count - 1 for count in covered.values())

    async def _edit(self, client: AsyncClient, played: Played) -> None:
        about: set[int] = set()
        try:
            found = [cluster for cluster in await client.clusters(played.id) if not cluster.merged_into]
            seen = [cluster.id for cluster in found if cluster.segments]
            if len(seen) > 1 and self._rng.random() < 0.3:
                source, target = self._rng.sample(seen, 2)
                about = {source, target}
                await client.merge(played.id, [source], target)
                played.merged[source] = target
                played.unsure |= about  # the target may have got the name of the source
            elif found:
                id, name = self._rng.choice(found).id, f"name {self._rng.randrange(10**6)}"
                about = {id}
                await client.rename(played.id, id, name)
                played.names[id] = name
                played.unsure.discard(id)
            self.counts["edits"] += bool(about)
        except MotionscribeError:
            played.unsure |= about

    async def _compare(self, client: AsyncClient, played: Played) -> None:
        while True:
            try:
                found = {cluster.id: cluster for cluster in await client.clusters(played.id)}
                break
            except ConnectionError:  # a server that is killed just now
                await asyncio.sleep(0.2)
        names = {id: name for id, name in played.names.items() if id not in played.unsure}
        self.counts["undone"] += sum(found[id].name != name for id, name in names.items())
        self.counts["undone"] += sum(not found[source].merged_into for source in played.merged)


async def measure(rounds: int, data: Path, seed: int) -> dict[str, Numbers]:
    """The rows."""
    rng, port = random.Random(seed), free_port()
    restarts = itertools.cycle([(Process.kill_worker,), (Process.kill, Process.start)])
    with tempfile.TemporaryDirectory() as folder:
        server = await asyncio.to_thread(Process, port, Path(folder) / "store.sqlite")
        users = Users(data, rng)
        async with AsyncClient(f"127.0.0.1:{port}", backoff=Backoff(attempts=10_000)) as client:
            playing = asyncio.create_task(users.run(client))
            for turn in range(rounds):
                await asyncio.sleep(rng.uniform(*CALM_S))
                print(f"round {turn + 1}, {dict(users.counts)}", flush=True)
                editing = asyncio.create_task(users.edit_all(client))
                await asyncio.sleep(rng.uniform(0, SOONER_S))
                for act in next(restarts):
                    await asyncio.to_thread(act, server)
                await editing
            users.stop()
            await playing
        await asyncio.to_thread(server.drain)
    return {f"edits/{name}": exactly(count) for name, count in {"rounds": rounds, **users.counts}.items()}


def main() -> None:
    """Breaks, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    save(__file__, "edits", asyncio.run(measure(options.rounds, options.data, options.seed)))


if __name__ == "__main__":
    main()
