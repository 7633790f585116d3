"""Names that a sender gives people, as ids: of A-Z a-z 0-9 . _ -, and no two alike."""

import re
from collections.abc import Iterable

LONGEST = 40
"""Characters of a name: the id of a stream has 128, with all that stands before."""


def person_ids(names: Iterable[str]) -> list[str]:
    """An id for each name, in order. Others of the same id are numbered, and who has no usable name is `person`."""
    ids: dict[str, None] = {}
    numbers: dict[str, int] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:LONGEST] or "person"
        id = plain
        while id in ids:
            numbers[plain] = numbers.get(plain, 1) + 1
            id = f"{plain}-{numbers[plain]}"
        ids[id] = None
    return list(ids)
