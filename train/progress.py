"""Progress bars on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

OnRead = Callable[[], object]
"""Callback after each image that is read."""


def progress_bars(disable: bool = False, transient: bool = False) -> Progress:
    """Create a progress display with counts and remaining time.

    ``transient`` bars vanish when done. Where stderr is not a terminal, bars show their last state only, so
    transient ones show nothing.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    silent = disable or (transient and not console.is_terminal)
    return Progress(*columns, console=console, disable=silent, transient=transient)


@contextmanager
def progress_bar(title: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Show a progress bar for one task and yield the function to call after each of ``total`` items."""
    with progress_bars(transient=True) as progress:
        task = progress.add_task(escape(title), total=total)
        yield lambda: progress.advance(task)
