"""HTML page of headings, texts, tables and pictures in one self-contained file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from matplotlib.figure import Figure

from train.evaluation.figures import png

_STYLE = """
:root { color-scheme: light; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; background: #fff; color: #222;
       font: 15px/1.5 system-ui, sans-serif; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ddd; }
p { max-width: 50rem; } .lead { color: #666; margin-top: 0; }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 0.3rem 0; }
th, td { padding: 0.25rem 0.8rem; text-align: right; border-bottom: 1px solid #e5e5e5; }
th { color: #666; font-weight: 600; } th:first-child, td:first-child { text-align: left; padding-left: 0; }
tr:last-child td { font-weight: 600; }
figure { margin: 1rem 0; } figcaption { color: #666; font-size: 13px; overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; }
"""


class Page:
    """Builder of a page; all texts are escaped."""

    def __init__(self, title: str, lead: str) -> None:
        self._title = escape(title)
        self._body = [f"<h1>{self._title}</h1>", f'<p class="lead">{escape(lead)}</p>']

    def heading(self, text: str) -> None:
        """Add the heading of a section."""
        self._body.append(f"<h2>{escape(text)}</h2>")

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._body.append(f"<p>{escape(text)}</p>")

    def table(self, caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add a table; the first column is text, the others are numbers."""
        head = _row("th", headings)
        body = "".join(_row("td", row) for row in rows)
        table = f"<caption>{escape(caption)}</caption><thead>{head}</thead><tbody>{body}</tbody>"
        self._body.append(f"<table>{table}</table>")

    def figure(self, figure: Figure, caption: str) -> None:
        """Add a figure with its caption, embedded as PNG."""
        data, text = base64.b64encode(png(figure)).decode(), escape(caption)
        image = f'<img alt="{text}" src="data:image/png;base64,{data}">'
        self._body.append(f"<figure>{image}<figcaption>{text}</figcaption></figure>")

    def render(self) -> str:
        """Return the complete file."""
        head = f'<meta charset="utf-8"><title>{self._title}</title><style>{_STYLE}</style>'
        size = '<meta name="viewport" content="width=device-width, initial-scale=1">'
        body = "\n".join(("<body>", *self._body, "</body>"))
        return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}{size}</head>\n{body}\n</html>\n'


def _row(tag: str, texts: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts) + "</tr>"
