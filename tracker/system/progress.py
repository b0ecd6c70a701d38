"""The progress bar of offline runs, on stderr, and only where stderr is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
)
from rich.text import Text


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


@contextmanager
def progress_bar(title: str, total: int | None, shown: bool = True) -> Iterator[Callable[[], None]]:
    """Says ``title`` and yields what to call after each item; ``total`` are expected, if that is known.

    Not ``shown`` where results come on the same terminal: the bar would be drawn over them.
    """
    console = Console(stderr=True)
    shown = shown and console.is_terminal
    if shown:
        console.print(title, markup=False, highlight=False)  # "clip [1080p].mp4" is a name, not a style
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not shown) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)
