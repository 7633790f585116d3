"""The commands of a folder one after another: what `python -m benchmarks.FOLDER` does."""

import argparse
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path


def run_parts(folder: str, description: str | None, parts: Mapping[str, str], need_data: Collection[str]) -> None:
    """Runs `parts`, name of a file -> what it measures, in their order; the first that fails ends it.

    Those of `need_data` are told where the recordings are.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=parts, default=[*parts], metavar="PART")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    options = parser.parse_args()
    for part, what in parts.items():
        if part in options.only:
            print(f"{part}: {what}", flush=True)
            data = ["--data", str(options.data)] if part in need_data else []
            subprocess.run([sys.executable, "-m", f"benchmarks.{folder}.{part}", *data], check=True)
