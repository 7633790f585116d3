"""Strangers at the service that is open to all: `python -m benchmarks.faults.health`.

Without a token, on one connection that stays open, `--watches` calls of Health.Watch, each with another name of
NAME_BYTES: packed to a thousandth of that, then as many that are not packed. `memory_mib` and `plain_memory_mib` are
how much larger the server is after each than it was idle; the second is what malloc keeps for the next message.
"""

import argparse
import contextlib
import tempfile
from pathlib import Path

import grpc
from grpc import Compression
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from benchmarks.faults.processes import Process, free_port
from benchmarks.results import Numbers, exactly, save

NAME_BYTES = 4_000_000


def resident_mib(process: int) -> float:
    """What a process holds of memory."""
    (pages,) = Path(f"/proc/{process}/statm").read_text().split()[1:2]
    return int(pages) * 4096 / 2**20


def watch(channel: grpc.Channel, number: int, compression: Compression) -> grpc.Call:
    """One call, as far as its first answer or its end."""
    name = f"{number:06}".ljust(NAME_BYTES, "a")
    call = HealthStub(channel).Watch(HealthCheckRequest(service=name), compression=compression)
    with contextlib.suppress(grpc.RpcError):
        next(call)
    return call


def measure(watches: int) -> dict[str, Numbers]:
    """The row."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server = Process(port, Path(folder) / "store.sqlite", "--workers", "1")
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                HealthStub(channel).Check(HealthCheckRequest(), wait_for_ready=True)
                idle = resident_mib(server.id)
                rows = {}
                for name, kind in (("memory_mib", Compression.Gzip), ("plain_memory_mib", Compression.NoCompression)):
                    calls = [watch(channel, number, kind) for number in range(watches)]
                    rows[f"health/{name}"] = exactly(round(resident_mib(server.id) - idle, 1))
                    for call in calls:
                        call.cancel()
        finally:
            server.kill()
    return {**rows, "health/watches": exactly(watches)}


def main() -> None:
    """Asks, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watches", type=int, default=150)
    save(__file__, "health", measure(parser.parse_args().watches))


if __name__ == "__main__":
    main()
