"""Checks that ONNX bytes hold nodes and weights alone: nothing that reads other files or hides what it does.

In: the bytes of a graph file that may be hostile. Out: nothing, or a ModelFolderError. It walks the protobuf messages
and knows the fields that a plain graph needs. Every other field is refused: weights in other files, functions,
subgraphs, operators of other domains. Nothing is computed and no weight is copied. Whether the graph makes sense is the
runtime's decision.
"""

from collections.abc import Iterator, Mapping

from motionscribe_models.errors import ModelFolderError

MAX_FIELDS = 1 << 20
"""In all messages of a graph; 4096 units and 100 steps have 20 000. More would keep a server busy for minutes."""
CONTRIBUTED = {("com.microsoft", "MatMulIntegerToFloat")}
"""Operators outside the standard that export uses. Their domain also has operators that load files."""
STANDARD = ("", "ai.onnx")

TEXT = "text"
PLAIN: Mapping[str, Mapping[int, str]] = {
    "model": {1: "", 2: "", 3: "", 4: "", 5: "", 6: "", 7: "graph", 8: "operator set"},
    "graph": {1: "node", 2: "", 5: "tensor", 10: "", 11: "", 12: "", 13: ""},
    "node": {1: "", 2: "", 3: "", 4: TEXT, 5: "attribute", 6: "", 7: TEXT},
    "attribute": {1: "", 2: "", 3: "", 4: "", 5: "tensor", 7: "", 8: "", 9: "", 10: "tensor", 13: "", 20: ""},
    "tensor": {1: "", 2: "", 4: "", 5: "", 7: "", 8: "", 9: "", 10: "", 11: "", 12: ""},
    "operator set": {1: TEXT, 2: ""},
}
"""Message -> number of a field in onnx.proto -> the message in it, TEXT for text that is checked, "" for the rest."""
REFUSED = {
    ("model", 14): "metadata",
    ("model", 20): "training steps",
    ("model", 25): "functions",
    ("graph", 15): "sparse weights",
    ("graph", 16): "metadata",
    ("node", 9): "metadata",
    ("attribute", 6): "a subgraph",
    ("attribute", 11): "subgraphs",
    ("tensor", 13): "weights outside the file",
    ("tensor", 14): "weights outside the file",
}
"""Names of the most likely forbidden fields, for error messages."""

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
FIXED = {EIGHT_BYTES: 8, FOUR_BYTES: 4}


def check_graph(raw: bytes) -> None:
    """Raises ModelFolderError unless `raw` is a plain ONNX graph."""
    _Walk().message("model", memoryview(raw))


class _Walk:
    """A walk through one file that counts fields down from MAX_FIELDS."""

    def __init__(self) -> None:
        self._left = MAX_FIELDS

    def message(self, kind: str, raw: memoryview) -> None:
        texts: dict[int, str] = {}
        for number, wire, value in self._fields(raw):
            held = PLAIN[kind].get(number)
            if held is None:
                got = REFUSED.get((kind, number), f"field {number}")
                raise ModelFolderError(f"expected an ONNX graph of nodes and weights alone, got {got} ({kind})")
            if held and wire != LENGTH:  # protobuf would skip it as an unknown field
                raise _damaged(f"field {number} of a {kind} as a number")
            if held == TEXT:
                texts[number] = bytes(value).decode("utf-8", "replace")  # the last one counts
            elif held:
                self.message(held, value)
        if kind == "node":
            _check_operator(texts.get(7, ""), texts.get(4, ""))
        elif kind == "operator set" and texts.get(1, "") not in {*STANDARD, *(domain for domain, _ in CONTRIBUTED)}:
            raise ModelFolderError(f"expected operators of the ONNX standard, got an import of {texts[1]!r}")

    def _fields(self, raw: memoryview) -> Iterator[tuple[int, int, memoryview]]:
        """Number, wire type and bytes of each field of a message."""
        at = 0
        while at < len(raw):
            self._left -= 1
            if self._left < 0:
                raise ModelFolderError(f"expected an ONNX graph of at most {MAX_FIELDS} fields, got more")
            tag, at = _varint(raw, at)
            number, wire = tag >> 3, tag & 7
            begin = at
            if wire == VARINT:
                _, at = _varint(raw, at)
            elif wire == LENGTH:
                size, begin = _varint(raw, at)
                at = begin + size
            elif wire in FIXED:
                at += FIXED[wire]
            else:
                raise _damaged(f"wire type {wire}")
            if at > len(raw):
                raise _damaged(f"{at - len(raw)} bytes too few")
            yield number, wire, raw[begin:at]


def _varint(raw: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at byte `at`, and the place of the byte after it."""
    value = 0
    for place, byte in enumerate(raw[at : at + 10]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise _damaged("a number without an end")


def _check_operator(domain: str, operator: str) -> None:
    if domain not in STANDARD and (domain, operator) not in CONTRIBUTED:
        raise ModelFolderError(f"expected operators of the ONNX standard, got {operator!r} of {domain!r}")


def _damaged(got: str) -> ModelFolderError:
    return ModelFolderError(f"expected an ONNX graph, got a damaged one: {got}")
