"""HTML page of headings, texts, tables, plots and galleries in one self-contained file."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape

from matplotlib.figure import Figure

from train.evaluation.figures import png, themed
from train.evaluation.style import STYLE
from train.evaluation.tiles import Item, Style, swatch, tile_svg


class Page:
    """Builder of a page with a list of its sections; all texts are escaped.

    The page follows the light or dark setting of the reader's system.
    """

    def __init__(self, title: str, lead: str) -> None:
        self._title, self._lead = escape(title), escape(lead)
        self._sections: dict[str, str] = {}
        self._body: list[str] = []

    def heading(self, text: str) -> None:
        """Add the heading of a section, which the list at the top links to."""
        name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"
        place = name if name not in self._sections else f"{name}-{len(self._sections) + 1}"
        self._sections[place] = escape(text)
        self._body.append(f'<h2 id="{place}">{escape(text)}</h2>')

    def subheading(self, text: str) -> None:
        """Add a heading inside a section."""
        self._body.append(f"<h3>{escape(text)}</h3>")

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._body.append(f"<p>{escape(text)}</p>")

    def folded(self, summary: str, text: str) -> None:
        """Add a paragraph that is shown when the reader opens its ``summary``."""
        self._body.append(f"<details><summary>{escape(summary)}</summary><p>{escape(text)}</p></details>")

    def table(
        self, caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]], total: bool = False
    ) -> None:
        """Add a table; columns of numbers are set to the right, the last row is set off as ``total``."""
        kind = ' class="total"' if total else ""
        # A wide table scrolls by itself, also with the keyboard, so that the page never does sideways.
        frame = f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}">'
        self._body.append(f"{frame}<table{kind}>{_table(caption, headings, rows)}</table></div>")

    def settings(self, groups: Mapping[str, Mapping[str, str]]) -> None:
        """Add a table of names and values for each of ``groups``, side by side where there is room."""
        tables = "".join(
            f"<table>{_table(name, ('setting', 'value'), list(values.items()), numbers=False)}</table>"
            for name, values in groups.items()
        )
        self._body.append(f'<div class="columns">{tables}</div>')

    def plot(self, draw: Callable[[], Figure], alt: str, caption: str) -> None:
        """Add the plot that ``draw`` returns, in light and in dark colours; ``alt`` says what it shows."""
        light, dark = (_png_url(image) for image in themed(draw))
        source = f'<source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        image = f'<picture>{source}<img alt="{escape(alt)}" src="{light}"></picture>'
        self._body.append(f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>")

    def figure(self, figure: Figure, caption: str) -> None:
        """Add a picture with its caption, which also describes it."""
        text = escape(caption)
        image = f'<img alt="{text}" src="{_png_url(png(figure))}">'
        self._body.append(f"<figure>{image}<figcaption>{text}</figcaption></figure>")

    def gallery(self, items: Sequence[Item], legend: Mapping[str, Style]) -> None:
        """Add pictures with points, each with its caption, below a ``legend`` from names to styles."""
        sizes = [len(marks.points) for item in items for tile in item.tiles for marks in tile.marks]
        single = max(sizes, default=0) == 1
        entries = "".join(f"<li>{swatch(look, single)} {escape(name)}</li>" for name, look in legend.items())
        if entries:
            self._body.append(f'<ul class="legend" aria-label="Legend">{entries}</ul>')
        wide = max((len(item.tiles) for item in items), default=1)
        shown = "".join(_figure(item) for item in items)
        self._body.append(f'<div class="gallery of-{wide}">{shown}</div>')

    def render(self) -> str:
        """Return the complete file."""
        head = f'<meta charset="utf-8"><title>{self._title}</title><style>{STYLE}</style>'
        size = '<meta name="viewport" content="width=device-width, initial-scale=1">'
        links = "".join(f'<li><a href="#{place}">{text}</a></li>' for place, text in self._sections.items())
        top = f'<header><h1>{self._title}</h1><p class="lead">{self._lead}</p></header>'
        contents = f'<nav aria-label="Sections"><ul>{links}</ul></nav>'
        body = "\n".join(("<body>", top, contents, "<main>", *self._body, "</main>", "</body>"))
        return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}{size}</head>\n{body}\n</html>\n'


def _figure(item: Item) -> str:
    tiles = "".join(tile_svg(tile) for tile in item.tiles)
    return f'<figure><div class="tiles">{tiles}</div><figcaption>{escape(item.caption)}</figcaption></figure>'


def _table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: bool = True) -> str:
    """Return the parts of a table; ``numbers`` sets columns that hold nothing else to the right."""
    right = [
        numbers and place > 0 and all(_is_number(row[place]) for row in rows)
        for place in range(len(headings))
    ]
    cells = zip(headings, right, strict=True)
    head = "".join(f'<th scope="col"{_side(there)}>{escape(text)}</th>' for text, there in cells)
    body = "".join(_row(row, right) for row in rows)
    return f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"


def _row(texts: Sequence[str], right: Sequence[bool]) -> str:
    first = f'<th scope="row">{escape(texts[0])}</th>'
    others = zip(texts[1:], right[1:], strict=True)
    return f"<tr>{first}{''.join(f'<td{_side(there)}>{escape(text)}</td>' for text, there in others)}</tr>"


def _side(right: bool) -> str:
    return ' class="number"' if right else ""


def _is_number(text: str) -> bool:
    """Return whether ``text`` is a number, an interval, a dash for a missing value, or empty."""
    return re.fullmatch(r"[-+]?[\d.,]*( to [-+]?[\d.,]+)?", text) is not None


def _png_url(image: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(image).decode()}"
