"""What the benchmarks of a folder found, in its results.json: each command replaces its own rows."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

Numbers = dict[str, float]


def quartiles(values: Sequence[float]) -> Numbers:
    """Median, and the quartiles as low and high."""
    low, value, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return {"value": round(value, 5), "low": round(low, 5), "high": round(high, 5), "n": len(values)}


def extremes(values: Sequence[float]) -> Numbers:
    """Median, and the least and the most as low and high."""
    low, value, high = np.quantile(values, [0, 0.5, 1]).tolist()
    return {"value": round(value, 3), "low": round(low, 3), "high": round(high, 3), "n": len(values)}


def pooled(value: float, rounds: Sequence[float]) -> Numbers:
    """What all rounds say together, and what the least and the most of them say as low and high."""
    return {"value": round(value, 3), "low": round(min(rounds), 3), "high": round(max(rounds), 3), "n": len(rounds)}


def exactly(value: float) -> Numbers:
    """One number, counted."""
    return {"value": value, "low": value, "high": value, "n": 1}


def save(script: str, row: str, rows: dict[str, Numbers]) -> None:
    """Prints the rows, `row`/.../metric, as a table and puts them in place of the old ones of that row.

    `script` is the file of the command, beside which results.json lies.
    """
    metrics = list(dict.fromkeys(name.rpartition("/")[2] for name in rows))
    print(" ".join([f"{'row':44}", *(f"{metric:>14}" for metric in metrics)]))
    for line in dict.fromkeys(name.rpartition("/")[0] for name in rows):
        cells = [rows.get(f"{line}/{metric}") for metric in metrics]
        print(" ".join([f"{line:44}", *(f"{cell['value']:14.3f}" if cell else f"{'-':>14}" for cell in cells)]))
    path = Path(script).resolve()
    file = path.with_name("results.json")
    kept = json.loads(file.read_text()) if file.exists() else {}
    commands = {*kept.pop("command", "").split("; "), f"python -m benchmarks.{path.parent.name}.{path.stem}"} - {""}
    others = {name: numbers for name, numbers in kept.items() if not name.startswith(f"{row}/")}
    file.write_text(json.dumps({"command": "; ".join(sorted(commands)), **others, **rows}, indent=1) + "\n")
