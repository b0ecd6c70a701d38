"""Output for people: printable names and the progress bar."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import ProgressColumn


def printable(text: str) -> str:
    """Return ``text`` on one line with all control characters as escapes.

    A file name may hold escape sequences that clear the screen, or line breaks that imitate a message.
    """
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def shortened(name: str, most: int = 80) -> str:
    """Return ``name`` with its middle left out if it is longer than ``most`` characters."""
    kept = (most - 3) // 2
    return name if len(name) <= most else f"{name[:kept]}...{name[-kept:]}"


CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls of terminals, lines and writing direction, and surrogates, which stand for undecodable bytes."""


def without_controls(text: str) -> str:
    """Return ``text`` with control characters as escapes; unlike :func:`printable` it keeps all spaces."""
    return CONTROLS.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


@contextmanager
def progress_bar(title: str, total: int | None, shown: bool = True) -> Iterator[Callable[[], None]]:
    """Show a progress bar on standard error if that is a terminal; yield the function that advances it.

    ``title`` is printed first. ``total`` is the expected number of items, or None if unknown. Without
    ``shown`` there is no bar: results printed on the same terminal would be overwritten.
    """
    from rich.console import Console  # slow to import
    from rich.progress import Progress

    console = Console(stderr=True)
    shown = shown and console.is_terminal
    if shown:
        console.print(
            printable(title), markup=False, highlight=False
        )  # "clip [1080p].mp4" is a name, not a style
    with Progress(*_columns(), console=console, disable=not shown) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)


def _columns() -> tuple[ProgressColumn, ...]:
    """Return the columns of the bar: bar, count, items per second, time left."""
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "")

    return BarColumn(), MofNCompleteColumn(), Speed(), TimeRemainingColumn()
