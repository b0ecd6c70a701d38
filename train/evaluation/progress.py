"""The bar of one piece of long work, in the look of all of the training side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.markup import escape

from train.progress import progress_bars


@contextmanager
def progress_bar(title: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Show ``title`` on a terminal and yield what to call after each of ``total`` items."""
    with progress_bars(transient=True) as progress:
        task = progress.add_task(escape(title), total=total)
        yield lambda: progress.advance(task)
