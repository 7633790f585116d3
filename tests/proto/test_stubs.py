"""The committed stubs are what segmentation.proto generates."""

from pathlib import Path

import pytest

from motionscribe_proto import generate


def test_committed_stubs_are_current(tmp_path: Path) -> None:
    generate.generate(tmp_path)
    for name in generate.STUBS:
        fresh = (tmp_path / "motionscribe_proto" / name).read_bytes()
        assert (generate.HERE / name).read_bytes() == fresh, f"{name}: run python -m motionscribe_proto.generate"


def test_a_failure_of_protoc_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="status 1"):
        generate.generate(tmp_path / "absent")
