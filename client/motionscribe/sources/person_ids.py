"""Names that a sender gives people, as ids: of A-Z a-z 0-9 . _ -, and no two alike."""

import re
from collections.abc import Iterable

LONGEST = 40
"""Characters of a name: the id of a stream has 128, with all that stands before."""


def person_ids(names: Iterable[str]) -> list[str]:
    """An id for each name, in order. Others of the same id are numbered, and who has no usable name is `person`."""
    ids: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:LONGEST] or "person"
        number, id = 1, plain
        while id in ids:
            number += 1
            id = f"{plain}-{number}"
        ids.append(id)
    return ids
