"""What the benchmarks of speed found, in one results.json: each command replaces its own rows."""

import json
from pathlib import Path

import numpy as np

Numbers = dict[str, float]

FILE = Path(__file__).parent / "results.json"
COMMAND = "python -m benchmarks.speed.kernel; python -m benchmarks.speed.service; python -m benchmarks.speed.scale"


def quartiles(values: list[float]) -> Numbers:
    """Median, and the quartiles as low and high."""
    low, value, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return {"value": round(value, 5), "low": round(low, 5), "high": round(high, 5), "n": len(values)}


def extremes(values: list[float]) -> Numbers:
    """Median, and the least and the most as low and high."""
    low, value, high = np.quantile(values, [0, 0.5, 1]).tolist()
    return {"value": round(value, 3), "low": round(low, 3), "high": round(high, 3), "n": len(values)}


def save(benchmark: str, rows: dict[str, Numbers]) -> None:
    """Prints the rows, `benchmark`/row/metric, as a table and puts them in place of its old ones."""
    metrics = list(dict.fromkeys(name.rpartition("/")[2] for name in rows))
    print(" ".join([f"{'row':44}", *(f"{metric:>14}" for metric in metrics)]))
    for row in dict.fromkeys(name.rpartition("/")[0] for name in rows):
        cells = [rows.get(f"{row}/{metric}") for metric in metrics]
        print(" ".join([f"{row:44}", *(f"{cell['value']:14.3f}" if cell else f"{'-':>14}" for cell in cells)]))
    kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    others = {name: row for name, row in kept.items() if not name.startswith((f"{benchmark}/", "command"))}
    FILE.write_text(json.dumps({"command": COMMAND, **others, **rows}, indent=1) + "\n")
