"""Which recordings show the same motion, where each has copies.

Those with several actions come first, all copies one set after another; then those of single actions.
"""

from collections.abc import Sequence


def copies_of(recordings: Sequence[int], motions: int, single: int, copies: int) -> list[tuple[int, int]]:
    """Of each of `recordings`, numbered from 0, which copy it is, and of which motion.

    There are `copies` of `motions` with several actions, then of `single` ones.
    """
    found = []
    for number in recordings:
        if number < motions * copies:
            found.append(divmod(number, motions))
        else:
            copy, motion = divmod(number - motions * copies, single)
            found.append((copy, motions + motion))
    return found
