"""A report is one page that needs nothing beside it, whatever the texts in it are."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from motionscribe_training.explaining.report import Block, Chapter, Curves, Film, Picture, Table, Text, write_report

EVIL = '</script><script>alert("1")</script> & <b>'


class Page(HTMLParser):
    """What a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def figure() -> Figure:
    drawn = Figure(figsize=(1, 1), dpi=50)
    drawn.add_subplot().plot([0, 1])
    return drawn


def test_a_report_is_whole_and_its_texts_are_texts(tmp_path: Path) -> None:
    gif = tmp_path / "one.gif"
    Image.new("P", (2, 2)).save(gif)
    curve = {"label": EVIL, "colour": "#0072B2", "encoder": [[0.0, 0.0, 0.0]], "decoder": [[1.0, 1.0, 1.0]]}
    blocks: list[Block] = [
        Text(EVIL, finding=True),
        Table((EVIL, "b"), [[EVIL, "2"]]),
        Picture("drawn", figure(), EVIL),
        Film(gif, "it moves"),
        Curves([curve, curve], EVIL),
    ]
    numbers = {"none": float("nan"), "much": float("inf"), "list": [1.23456789], "text": EVIL}
    page = write_report(tmp_path, EVIL, [EVIL], [Chapter("one", EVIL, blocks, numbers), Chapter("two", "t", [])])
    seen = Page(page.read_text("utf-8"))
    assert len(seen.all("script")) == 2
    assert [own.get("type") for own in seen.all("script")] == ["application/json", None]
    assert not seen.all("b")
    assert [own["src"] is not None and own["src"].startswith("data:image/") for own in seen.all("img")] == [True, True]
    assert not [own for _, own in seen.tags if (own.get("src") or own.get("href") or "").startswith(("http", "/"))]
    assert len(seen.all("input")) == 1, "one box for each label"
    data = next(text for text in seen.texts if text.startswith("[{"))
    assert json.loads(data) == [curve, curve]
    assert re.fullmatch(r"#(one|two)", str(seen.all("a")[0]["href"]))
    with Image.open(tmp_path / "pictures" / "drawn.png") as picture:
        assert picture.size == (50, 50)
    assert "<svg" in (tmp_path / "pictures" / "drawn.svg").read_text("utf-8")
    written = json.loads((tmp_path / "numbers.json").read_text("utf-8"))
    assert written == {"one": {"none": None, "much": None, "list": [1.234568], "text": EVIL}, "two": {}}
