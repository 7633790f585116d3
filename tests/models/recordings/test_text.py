"""Text comes back as it was written, whatever wrote it; what is no text is refused."""

import codecs
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording, read_text
from motionscribe_models.recordings.text import decode, split_lines

WRITTEN = [
    ("utf-8", b""),
    ("utf-8", codecs.BOM_UTF8),
    ("utf-16-le", codecs.BOM_UTF16_LE),
    ("utf-16-be", codecs.BOM_UTF16_BE),
    ("utf-32-le", codecs.BOM_UTF32_LE),
    ("utf-32-be", codecs.BOM_UTF32_BE),
]
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff", include_characters="\t\n"))
WESTERN = st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]))


@pytest.mark.parametrize(("encoding", "mark"), WRITTEN)
@given(text=TEXT)
def test_any_text_comes_back_from_any_unicode(encoding: str, mark: bytes, text: str) -> None:
    assert decode(mark + text.encode(encoding), "x") == text


@given(text=WESTERN)
def test_western_bytes_that_are_no_utf8_come_back(text: str) -> None:
    content = text.encode("cp1252")
    assume(not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)))  # ÿþ is the mark of UTF-16
    try:
        assume(content.decode("utf-8") is None)  # the same bytes may be UTF-8, too
    except UnicodeDecodeError:
        assert decode(content, "x") == text


@given(lines=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\u2028"), min_size=1)))
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_where_the_files_lines_end(end: str, lines: list[str]) -> None:
    while lines and not lines[-1].strip():
        lines.pop()
    assert split_lines(end.join(lines) + end * 2) == lines


@pytest.mark.parametrize("content", [b"a\x00b", b"\x01", "a,b\n".encode("utf-16-le"), codecs.BOM_UTF16_LE + b"\x00"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises(RecordingError, match=r"x\.txt: expected .*text"):
        read_text(tmp_path / "x.txt")


def test_five_bytes_that_windows_lacks_and_the_end_of_file_of_dos() -> None:
    assert decode(b"f\xfcr \x81\x1a", "x") == "für \x81"


@pytest.mark.parametrize(("encoding", "mark"), [*WRITTEN, ("cp1252", b"")])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_reads_the_same_from_every_program(tmp_path: Path, encoding: str, mark: bytes, end: str) -> None:
    text = end.join(["# Messung für Jörg", "", "time,wärme,größe", "0.0,1,2  ", "", "# Pause", "0.1,3,4", "", " "])
    (tmp_path / "a.csv").write_bytes(mark + text.encode(encoding))
    recording = read_recording(tmp_path / "a.csv")
    assert recording.skeleton.joints == ("wärme", "größe")
    assert recording.frames.tolist() == [[1, 2], [3, 4]]
    assert recording.timestamps_us.tolist() == [0, 100_000]


@pytest.mark.parametrize(("encoding", "mark"), WRITTEN)
def test_tables_without_a_header_and_motion_are_decoded_too(tmp_path: Path, encoding: str, mark: bytes) -> None:
    row = ",".join(["0.5"] * 96)
    (tmp_path / "e.txt").write_bytes(mark + f"{row}\r\n{row}\r\n".encode(encoding))
    assert read_recording(tmp_path / "e.txt").frames.shape == (2, 96)
