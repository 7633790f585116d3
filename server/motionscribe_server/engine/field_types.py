"""Whether a value is what an annotation says: `accepts(hint)` is a test for it.

In: annotations of the classes that travel (class_table.py). Out: functions from a value to true or false, made once and
called for each field. It knows the annotations that these classes have, and no others.
"""

from collections.abc import Callable, Sequence
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

Test = Callable[[Any], bool]


def accepts(hint: Any) -> Test:
    """A test for values of an annotation. Sequences are tuples by now; whole numbers pass for floats."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return lambda value: value in inner
    if origin in (Union, UnionType):
        classes = tuple(kind for one in inner if get_origin(one) is None for kind in _classes(one))
        others = [accepts(one) for one in inner if get_origin(one) is not None]
        return lambda value: isinstance(value, classes) or any(test(value) for test in others)
    if origin is tuple and inner[-1] is not Ellipsis:
        tests = [accepts(one) for one in inner]
        return lambda value: (
            isinstance(value, tuple)
            and len(value) == len(tests)
            and all(test(item) for test, item in zip(tests, value, strict=True))
        )
    if origin in (tuple, Sequence):
        item = accepts(inner[0])
        return lambda value: isinstance(value, tuple) and all(map(item, value))
    classes = _classes(origin or hint)
    return lambda value: isinstance(value, classes)


def _classes(kind: Any) -> tuple[type, ...]:
    """What isinstance needs."""
    kind = getattr(kind, "__supertype__", kind)  # of a NewType
    return (float, int) if kind is float else (kind,)
