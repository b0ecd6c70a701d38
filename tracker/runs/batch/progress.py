"""Progress bar of a batch, over the bytes of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from tracker.runs.batch.plan import Job
from tracker.runs.batch.records import Outcome
from tracker.system.terminal import printable


@contextmanager
def batch_progress(jobs: Sequence[Job], shown: bool = True) -> Iterator[Callable[[Job, Outcome], None]]:
    """Show a progress bar with the time left on stderr, where that is a terminal and it is to be ``shown``.

    Yields a function to call with each job that is done; errors are printed in any case.
    """
    console = Console(stderr=True)
    columns = (
        *(TextColumn("{task.description}"), BarColumn()),
        *(DownloadColumn(), TimeRemainingColumn()),
    )
    done = 0
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:
        task = progress.add_task(f"0 of {len(jobs)}", total=sum(job.size for job in jobs))

        def advance(job: Job, outcome: Outcome) -> None:
            nonlocal done
            done += 1
            progress.update(task, description=f"{done} of {len(jobs)}", advance=job.size)
            if outcome.error:
                line = f"failed: {printable(outcome.error)}"
                progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

        yield advance
