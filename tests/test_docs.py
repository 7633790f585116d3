"""Tables of the documents say what the tables in the code say."""

from pathlib import Path

from motionscribe.sources.schemes import SCHEMES
from motionscribe_models.recordings.reading import READERS

CONNECTING = Path(__file__).parents[1] / "docs" / "2-connecting.md"


def rows_under(path: Path, *columns: str) -> list[list[str]]:
    """Cells of the table with these columns. Fails where there is none."""
    lines = path.read_text("utf-8").splitlines()
    start = lines.index(f"| {' | '.join(columns)} |") + 2
    end = next(n for n, line in enumerate(lines[start:], start) if not line.startswith("|"))
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[start:end]]


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def test_the_table_of_sources() -> None:
    assert rows_under(CONNECTING, "source", "what it is", "pace", "extra") == [
        [code(s.spelling), s.help, "live" if s.live else "as chosen", code(s.extra)] for s in SCHEMES
    ]


def test_the_table_of_file_formats() -> None:
    assert rows_under(CONNECTING, "ending", "what is read", "rate", "extra") == [
        [" ".join(map(code, r.endings)), r.description, r.rate, code(r.extra)] for r in READERS
    ]
