"""Explanations: `python -m benchmarks.explain` runs the commands of this folder one after another.

Each part is a command of its own (`python -m benchmarks.explain.PART`), whose docstring says what is measured; it puts
its rows into results.json beside this file. Minutes of one core: network 5, and 10 more where its three models are not
trained yet; separation 3; live 2, which wants a quiet machine.
"""

import argparse
import subprocess
import sys
from pathlib import Path

PARTS = {
    "network": "what layers see, and whether maps are true",
    "separation": "whether separation tells when training is done",
    "live": "milliseconds of a live explanation, and what others pay for it",
}
"""What each measures, by the name of its file."""


def main() -> None:
    """Runs the parts in the order of the table; the first that fails ends it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[*PARTS], metavar="PART")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    options = parser.parse_args()
    for part, what in PARTS.items():
        if part in options.only:
            print(f"{part}: {what}", flush=True)
            command = [sys.executable, "-m", f"benchmarks.explain.{part}", "--data", str(options.data)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
