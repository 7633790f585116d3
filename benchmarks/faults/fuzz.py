"""Bytes that no friend sends, guided by the coverage of what reads them: `python -m benchmarks.faults.fuzz`.

Each target of fuzz_targets.py runs in a process of its own under libFuzzer (package atheris), for its share of --cases,
or for --seconds; as many targets at a time as there are cores. `cases` counts inputs, `crashes` targets that raised
what they have not stated or hung; the input is in runs/fuzz. Exit status 1 where one crashed.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.results import exactly, save

PLACE = Path("runs/fuzz")
CASES = 1_000_000
SLOWEST_S = 20
"""For one input: more is a hang."""
LARGEST = 1 << 16
"""Bytes of an input."""


def fuzz(name: str) -> None:
    """The child: never returns, libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(
        include=["motionscribe", "motionscribe_models", "motionscribe_proto", "motionscribe_server"]
    ):
        from benchmarks.faults.fuzz_targets import STATED, TARGETS

    target = TARGETS[name]

    def read(data: bytes) -> None:
        with contextlib.suppress(*STATED):
            target.read(data)

    corpus = PLACE / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [f"-timeout={SLOWEST_S}", f"-max_len={LARGEST}", f"-artifact_prefix={PLACE}/{name}-", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *limits, *sys.argv[3:], str(corpus)], read)
    atheris.Fuzz()


def run(name: str, limit: str) -> tuple[int, bool]:
    """How many cases, and whether one crashed."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.faults.fuzz",
        "--child",
        name,
        "-seed=1",
        "-print_final_stats=1",
        limit,
    ]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace")
    found = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
    if done.returncode != 0 or not found:
        print(done.stderr[-4000:], file=sys.stderr)
    return int(found[1]) if found else 0, done.returncode != 0


def main() -> None:
    """Runs all targets, prints and, with --cases, writes."""
    if sys.argv[1:2] == ["--child"]:
        fuzz(sys.argv[2])
    from benchmarks.faults.fuzz_targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=CASES, help="of all targets together")
    parser.add_argument("--seconds", type=int, default=0, help="for each target instead, and nothing is written")
    options = parser.parse_args()
    limits = [
        f"-max_total_time={options.seconds}" if options.seconds else f"-runs={round(options.cases * target.share)}"
        for target in TARGETS.values()
    ]
    counts: dict[str, int] = {}
    crashed: list[str] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, (count, crash) in zip(TARGETS, pool.map(run, TARGETS, limits), strict=True):
            counts[name] = count
            crashed += [name] * crash
            print(f"{name}: {count} cases, {'a crash' if crash else 'no crash'}", flush=True)
    if not options.seconds:
        rows = {f"fuzz/{name}/cases": exactly(count) for name, count in counts.items()}
        rows |= {"fuzz/cases": exactly(sum(counts.values())), "fuzz/crashes": exactly(len(crashed))}
        save(__file__, "fuzz", rows)
    sys.exit(bool(crashed))


if __name__ == "__main__":
    main()
