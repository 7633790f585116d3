"""Documents say what the code says: tables, names of files, links, figures."""

import re
from pathlib import Path

import pytest

from motionscribe.demo.faults import BODY, SENSORS
from motionscribe.feeds import keys
from motionscribe.sinks.addresses import PLACES
from motionscribe.sinks.osc import ARGUMENTS
from motionscribe.sources.schemes import SCHEMES
from motionscribe_models.recordings.reading import READERS
from motionscribe_models.recordings.writing import WRITERS
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_server.session.anomaly.reference import anomaly_arrays
from motionscribe_server.streams.life import TRANSITIONS, Change, Life
from motionscribe_training.fitting.durations import ALL
from tests.test_walls import SERVER, VALUES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CONNECTING, INSIDE = DOCS / "2-connecting.md", DOCS / "6-inside.md"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "models" / "README.md"]
DOCUMENTS += [*sorted(DOCS.glob("*.md")), *sorted((ROOT / "examples").glob("*/README.md"))]


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


def test_the_table_of_places() -> None:
    assert rows_under(CONNECTING, "place", "what goes there", "extra") == [
        [code(p.spelling), p.help, code(p.extra)] for p in PLACES
    ]


def test_the_table_of_osc() -> None:
    assert rows_under(CONNECTING, "event", "address", "arguments, then the id") == [
        [code(event.__name__), code(f"/motionscribe/STREAM/{end}"), words]
        for event, (end, words, _) in ARGUMENTS.items()
    ]


def test_the_table_of_file_formats() -> None:
    assert rows_under(CONNECTING, "ending", "what is read", "rate", "extra") == [
        [" ".join(map(code, r.endings)), r.description, r.rate, code(r.extra)] for r in READERS
    ]


def test_the_table_of_formats_that_are_written() -> None:
    assert rows_under(CONNECTING, "ending", "what is written", "extra") == [
        [code(w.ending), w.description, code(w.extra)] for w in WRITERS
    ]


def test_the_table_of_keys_of_a_file_of_feeds() -> None:
    places = [("top", keys.CONNECTION), (code("[[feed]]"), keys.FEED), ("`[[feed]]` or `[defaults]`", keys.SHARED)]
    assert rows_under(CONNECTING, "key", "where", "what", "default", "meaning") == [
        [code(key.name), where, key.value, key.shown, key.meaning] for where, there in places for key in there
    ]


def test_the_table_of_faults() -> None:
    assert [fault for fault, _ in rows_under(CONNECTING, "fault", "what happens")] == [
        code(kind) for kind in (*BODY, *SENSORS)
    ]


def test_the_table_of_imports() -> None:
    assert rows_under(INSIDE, "package", "may import") == [
        [code(package), " ".join(map(code, sorted(allowed)))] for package, allowed in SERVER.items()
    ]
    assert f"are the modules {', '.join(map(code, sorted(VALUES)))} of `session`" in INSIDE.read_text("utf-8")


def test_the_table_of_the_life_of_a_stream() -> None:
    def after(life: Life, change: Change) -> str:
        return code(TRANSITIONS[life, change].name) if (life, change) in TRANSITIONS else "-"

    assert rows_under(INSIDE, "state", *(code(change.name) for change in Change)) == [
        [code(life.name), *(after(life, change) for change in Change)] for life in Life
    ]


def test_the_table_of_durations() -> None:
    assert rows_under(DOCS / "4-training.md", "name", "seconds", "at least, moments", "meaning") == [
        [code(name), f"{d.seconds:g}", f"{d.least:g}", d.meaning] for name, d in ALL.items()
    ]


def test_the_arrays_of_anomaly_scores_are_in_the_manual() -> None:
    manual = (DOCS / "5-model-folder.md").read_text("utf-8")
    arrays = {name for representation in REPRESENTATIONS.values() for name in anomaly_arrays(representation)}
    assert [name for name in sorted(arrays) if code(name) not in manual] == []


def test_files_on_the_way_of_a_frame_exist() -> None:
    named = [cell.strip("`") for _, cell, _ in rows_under(INSIDE, "step", "file", "what happens")]
    assert [name for name in named if not (ROOT / name).is_file()] == []


def anchors(path: Path) -> set[str]:
    """Names of the headings of a document, as links spell them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    for place, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", document.read_text("utf-8")):
        there = document.parent / place if place else document
        assert there.exists(), place
        assert not anchor or anchor in anchors(there), f"{place}#{anchor}"


def test_the_readme_leads_to_every_document_and_stays_short() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    wanted = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS if path.parent in (ROOT, DOCS)]
    assert [name for name in wanted[1:] if f"({name})" not in text] == []
    assert len(text.splitlines()) <= 207
