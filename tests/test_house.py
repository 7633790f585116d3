"""Sizes of files: one noun or verb each, which a reader takes in at once."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "client", "models", "proto", "server", "tests", "training")
MOST_LINES = 300


def test_no_file_is_longer_than_a_reader_takes_in() -> None:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    lengths = {file.relative_to(ROOT).as_posix(): len(file.read_text("utf-8").splitlines()) for file in files}
    generated = ("_pb2.py", "_pb2_grpc.py")
    long = {name: lines for name, lines in lengths.items() if lines > MOST_LINES and not name.endswith(generated)}
    assert lengths
    assert not long, f"expected at most {MOST_LINES} lines, got {long}"
