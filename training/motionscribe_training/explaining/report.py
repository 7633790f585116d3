"""A report as one HTML file that needs nothing beside it, with its pictures as PNG and SVG and its numbers as JSON.

In: chapters, which are titles, paragraphs, tables and pictures. Out: a folder: `report.html`, `numbers.json`,
`pictures/`. Every text is escaped: names of recordings and clusters come from elsewhere.
"""

import base64
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from motionscribe_models.new_file import new_file

Numbers = dict[str, Any]
"""What `numbers.json` has: numbers, texts, None, and lists and maps of these."""
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 3rem; border-top: 1px solid #ccc; padding-top: 1rem; }
figure { margin: 1.5rem 0; } figure img { max-width: 100%; } figcaption { color: #555; font-size: 0.9rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { padding: 0.2rem 0.7rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; } .scroll { overflow-x: auto; }
.finding { border-left: 4px solid #0072b2; padding: 0.2rem 1rem; background: #f3f7fa; }
canvas { width: 100%; height: 28rem; touch-action: none; cursor: grab; border: 1px solid #ddd; }
#paths-labels label { margin-right: 1rem; white-space: nowrap; }
"""


@dataclass(frozen=True)
class Text:
    """A paragraph; a `finding` stands out."""

    text: str
    finding: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under columns, the first of which names the row."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure that is saved under `name`."""

    name: str
    figure: Figure
    caption: str


@dataclass(frozen=True)
class Film:
    """A GIF that lies in the report's folder of pictures."""

    path: Path
    caption: str


@dataclass(frozen=True)
class Curves:
    """What paths.js draws: {label, colour, encoder, decoder} for each segment."""

    curves: Sequence[dict[str, Any]]
    caption: str


Block = Text | Table | Picture | Film | Curves


@dataclass(frozen=True)
class Chapter:
    """One question, and what the network answers."""

    key: str
    """Its place in `numbers.json`."""
    title: str
    blocks: Sequence[Block]
    numbers: Numbers = field(default_factory=dict)


def write_report(folder: Path, title: str, about: Sequence[str], chapters: Sequence[Chapter]) -> Path:
    """Writes the folder, which exists, and returns the page. `about` are paragraphs before the first chapter."""
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    body = "".join(
        f'<section id="{escape(chapter.key)}"><h2>{escape(chapter.title)}</h2>'
        + "".join(_block(block, pictures) for block in chapter.blocks)
        + "</section>"
        for chapter in chapters
    )
    contents = "".join(f'<li><a href="#{escape(x.key)}">{escape(x.title)}</a></li>' for x in chapters)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>"
        + "".join(f"<p>{escape(text)}</p>" for text in about)
        + f"<nav><ol>{contents}</ol></nav>{body}</body></html>\n"
    )
    numbers = {chapter.key: chapter.numbers for chapter in chapters}
    _write(folder / "numbers.json", json.dumps(_plain(numbers), indent=1, allow_nan=False) + "\n")
    _write(folder / "report.html", page)
    return folder / "report.html"


def _block(block: Block, pictures: Path) -> str:
    match block:
        case Text(text, finding):
            return f"<p{' class=finding' if finding else ''}>{escape(text)}</p>"
        case Table(columns, rows):
            head = "".join(f"<th>{escape(column)}</th>" for column in columns)
            lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
            return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
        case Picture(name, figure, caption):
            drawn = BytesIO()
            figure.savefig(drawn, format="png")
            (pictures / f"{name}.png").write_bytes(drawn.getvalue())
            figure.savefig(pictures / f"{name}.svg", format="svg")
            return _image("png", drawn.getvalue(), caption)
        case Film(path, caption):
            return _image("gif", path.read_bytes(), caption)
        case Curves(curves, caption):
            script = Path(__file__).with_name("paths.js").read_text("utf-8")
            labels = dict.fromkeys((curve["label"], curve["colour"]) for curve in curves)
            boxes = "".join(
                f'<label><input type="checkbox" value="{escape(label)}" checked> '
                f'<span style="color: {colour}">\u25a0</span> {escape(label)}</label>'
                for label, colour in labels
            )
            data = json.dumps(list(curves)).replace("<", "\\u003c")  # the text of a script element ends at </
            return (
                f'<figure><canvas id="paths" tabindex="0" role="img" aria-label="{escape(caption)}"></canvas>'
                f'<div id="paths-labels">{boxes}</div><figcaption>{escape(caption)}</figcaption></figure>'
                f'<script type="application/json" id="paths-data">{data}</script><script>{script}</script>'
            )


def _image(kind: str, data: bytes, caption: str) -> str:
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    return f'<figure><img src="{source}" alt="{escape(caption)}"><figcaption>{escape(caption)}</figcaption></figure>'


def _write(path: Path, text: str) -> None:
    with new_file(path) as beside:
        beside.write_text(text, "utf-8")


def _plain(value: Any) -> Any:
    """Numbers as JSON has them: those that are none, or infinite, are null."""
    if isinstance(value, dict):
        return {str(key): _plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(own) for own in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
