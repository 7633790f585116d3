"""Names that a sender gives people, as ids: of A-Z a-z 0-9 . _ -, and no two alike. Pure.

An id depends on the name alone, so that it is the same in every frame and run, whoever else is there. A name that can
be an id is one; what is left of another one has a mark of the whole name behind it: `Ann B` is `Ann-B-1923efbf`.
"""

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

LONGEST = 40
"""Characters of a name, before its mark: the id of a stream has 128, with all that stands before."""
MARK = 8
"""Characters of a mark."""


def person_id(name: str) -> str:
    """The id of somebody whom the sender calls so."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name[: 4 * LONGEST]).strip("-.")[:LONGEST] or "person"
    if plain == name:
        return name
    return f"{plain}-{sha256(name.encode(errors='surrogatepass')).hexdigest()[:MARK]}"


def person_ids(names: Sequence[str], numbers: Sequence[int] | None = None) -> list[str]:
    """An id for each name. Those of the same name have `numbers` of the sender's behind it, or 1, 2, 3, ..."""
    times, met = Counter(names), Counter[str]()
    ids = []
    for place, name in enumerate(names):
        met[name] += 1
        number = numbers[place] if numbers else met[name]
        # with a sign that no id has: the mark tells Ann's second from somebody who is called Ann-2
        ids.append(person_id(name if times[name] == 1 else f"{name}#{number}"))
    return ids
