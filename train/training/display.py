"""Progress of a run on stderr: bars on a terminal, else a line every so often."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from train.config import TrainConfig
from train.training.log import EpochReport

LINE_EVERY_S = 60.0
"""Seconds between two lines where there is no terminal; the first and the last epoch always have one."""


@dataclass
class TimeLeft:
    """Estimate of a run's remaining seconds, from the first step on.

    A step costs as much as its crops have pixels. ``steps`` is the number of steps of an epoch in each stage.
    """

    config: TrainConfig
    steps: Sequence[int]
    epoch: int
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)
    first: float = field(init=False)

    def __post_init__(self) -> None:
        self.began, self.first = self.clock(), self._work(self.epoch, 0)

    def after(self, epoch: int, step: int) -> float:
        """Return the estimate after ``epoch`` epochs and ``step`` further steps; NaN before the first."""
        done = self._work(epoch, step)
        if done <= self.first:
            return float("nan")
        total = self._work(self.config.epochs, 0)
        return (self.clock() - self.began) * (total - done) / (done - self.first)

    def _work(self, epoch: int, step: int) -> float:
        work = 0.0
        for stage, steps in zip(self.config.stages, self.steps, strict=True):
            inside = min(epoch, stage.epochs)
            work += (inside * steps + (step if epoch < stage.epochs else 0)) * stage.size**2
            if epoch < stage.epochs:
                break
            epoch -= inside
        return work


class Display:
    """Reports of one run, by bars in ``progress`` if there is one, else by ``say``, a line each."""

    def __init__(
        self,
        left: TimeLeft,
        unit: str,
        say: Callable[[str], object],
        progress: Progress | None = None,
    ) -> None:
        self._left, self._unit, self.say, self._progress = left, unit, say, progress
        self._said = left.clock()
        self._bars: tuple[TaskID, TaskID] | None = None
        self._epoch, self._step, self._steps = left.epoch, 0, 0

    @contextmanager
    def reading(self, total: int) -> Iterator[Callable[[], object]]:
        """Show that ``total`` images are read; the block calls what it gets after each of them."""
        if self._progress is None:
            read = 0

            def on_read() -> None:
                nonlocal read
                read += 1
                if self._due():
                    self._line(f"read {read} of {total} images")

            yield on_read
            return
        progress, bar = self._progress, self._progress.add_task("reading images", total=total)
        yield lambda: progress.advance(bar)
        progress.remove_task(bar)

    def begin(self, epoch: int, steps: int) -> None:
        """Show that an epoch of ``steps`` steps follows after ``epoch`` epochs."""
        self._epoch, self._step, self._steps = epoch, 0, steps
        if self._progress is not None:
            if self._bars is None:
                epochs = self._progress.add_task("epochs", total=self._left.config.epochs, completed=epoch)
                self._bars = epochs, self._progress.add_task("steps", total=None)
            self._progress.reset(self._bars[1], total=steps)

    def step(self) -> None:
        """Show that a step is done."""
        self._step += 1
        if self._progress is not None and self._bars is not None:
            left = duration(self._left.after(self._epoch, self._step))
            self._progress.update(self._bars[1], advance=1, description=f"steps, {left} left")
        elif self._due():
            left = duration(self._left.after(self._epoch, self._step))
            self._line(f"{self._title(self._epoch + 1)}  step {self._step} of {self._steps}  {left} left")

    def end(self, report: EpochReport) -> None:
        """Show the results of an epoch."""
        epochs = self._left.config.epochs
        if self._progress is not None and self._bars is not None:
            self._progress.update(self._bars[0], completed=report.epoch, description=self._describe(report))
        elif self._due() or report.epoch in (1, epochs) or self._epoch == self._left.epoch:
            left = duration(self._left.after(report.epoch, 0))
            more = "" if report.epoch == epochs else f"  {left} left"
            self._line(f"{self._title(report.epoch)}  {self._describe(report)}{more}")

    def _title(self, epoch: int) -> str:
        return f"epoch {epoch} of {self._left.config.epochs}"

    def _describe(self, report: EpochReport) -> str:
        held_out = report.validation
        return (
            f"{report.size} px  loss {report.loss:.2f}  validation {held_out.loss:.2f}  "
            f"error {held_out.error:.2f} {self._unit}"
        )

    def _due(self) -> bool:
        return self._left.clock() - self._said >= LINE_EVERY_S

    def _line(self, text: str) -> None:
        self.say(text)
        self._said = self._left.clock()


@contextmanager
def run_display(left: TimeLeft, unit: str, silent: bool) -> Iterator[Display]:
    """Yield the display of a run: bars if stderr is a terminal, nothing if ``silent``."""
    console = Console(stderr=True, quiet=silent)
    columns = TextColumn("{task.description}"), BarColumn(bar_width=10), MofNCompleteColumn()
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    with Progress(*columns, console=console, disable=silent or not console.is_terminal) as progress:
        yield Display(left, unit, say, None if progress.disable else progress)


def duration(seconds: float) -> str:
    """Return ``seconds`` in words, to two units; a question mark for NaN."""
    if seconds != seconds:
        return "?"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
