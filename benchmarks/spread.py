"""A metric of several recordings, as results.json holds it."""


def spread(values: list[float]) -> dict[str, float]:
    """Mean, least and most."""
    mean = sum(values) / len(values)
    return {"value": round(mean, 4), "low": round(min(values), 4), "high": round(max(values), 4), "n": len(values)}
