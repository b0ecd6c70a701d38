"""Soak test of ``tracker serve``: an hour with clients that come back every ten seconds, and what grows.

A server shows a clip of the portrait, 640x480. In each visit four clients connect at once and, but for the
last one, leave together:

- one of ``/ws/camera`` sends 30 pictures a second with two in flight, as the page does;
- one watches ``/ws/live``, and one ``/api/live.mjpg``;
- one posts a still picture to ``/api/faces``.

In the middle of a visit, once a minute, the server's memory, threads and open files are counted. The line
through its memory leaves out the first five minutes, in which buffers and pools get their size. The standard
error takes deviations from the line as independent; memory that grows in steps makes it too small. Linux
only.

    python -m benchmarks.serve_soak --minutes 60 --every 10
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.command import (
    BackendOption,
    JsonOption,
    ModelOption,
    ThreadsOption,
    check_outputs,
    run_command,
    write_report,
)
from benchmarks.mjpeg import jpeg
from benchmarks.serve_clients import (
    Resources,
    Tally,
    busy_client,
    mjpeg_client,
    post_once,
    watching_client,
)
from benchmarks.serve_load import SIZE, serving
from tracker.errors import BenchError
from tracker.reports.bench.clip import TURN, portrait_frames
from tracker.tracking.opening import TrackerOptions
from train.progress import progress_bar

SETTLE_MIN = 5.0
"""Minutes that the line leaves out."""

_FEWEST_LOOKS = 3


@dataclass(frozen=True)
class Visit:
    """Answers that the clients of one visit got: pictures tracked, watched in both ways, and still faces.

    A client that was refused or disconnected, or whose answer was an error, counts 0; ``problem`` says why.
    """

    camera: int
    live: int
    mjpeg: int
    still: int
    problem: str = ""

    @property
    def failed(self) -> bool:
        """True if a client got nothing."""
        return min(self.camera, self.live, self.mjpeg, self.still) == 0


@dataclass(frozen=True)
class Look:
    """The server's process after some ``minutes``; ``failed`` counts visits so far."""

    minutes: float
    process: Resources
    failed: int


@dataclass(frozen=True)
class Plan:
    """Number of visits, seconds of each, and number of visits for each look."""

    visits: int
    every_s: float
    visits_a_look: int

    @classmethod
    def of(cls, minutes: float, every_s: float) -> Plan:
        """Return the plan for some minutes with a look in each, or in each visit that is longer."""
        return cls(round(60 * minutes / every_s), every_s, max(int(60 / every_s), 1))


@dataclass(frozen=True)
class Growth:
    """Slope of the line through resident memory in MB an hour, by least squares, and its standard error."""

    looks: int
    mb_per_hour: float
    standard_error: float

    @classmethod
    def of(cls, looks: Sequence[Look]) -> Growth:
        """Return the growth after :data:`SETTLE_MIN`.

        Raises :class:`~tracker.errors.BenchError` for less than three looks.
        """
        settled = [look for look in looks if look.minutes > SETTLE_MIN]
        if len(settled) < _FEWEST_LOOKS:
            raise BenchError("too short to tell what grows: give --minutes 8 or more")
        hours = np.array([look.minutes for look in settled]) / 60
        megabytes = np.array([look.process.megabytes for look in settled])
        hours -= hours.mean()
        spread = (hours**2).sum()
        slope = (hours * megabytes).sum() / spread
        residuals = megabytes - megabytes.mean() - slope * hours
        error = np.sqrt((residuals**2).sum() / (len(settled) - 2) / spread)
        return cls(len(settled), round(float(slope), 2), round(float(error), 2))


async def visit(port: int, pictures: Sequence[bytes], seconds: float) -> Visit:
    """Let all clients connect, stay for some seconds, and leave."""
    until_s = time.monotonic() + seconds
    *answers, _ = await asyncio.gather(
        _camera(port, pictures, until_s),
        watching_client(port, until_s),
        mjpeg_client(port, until_s),
        asyncio.to_thread(post_once, port, pictures[0]),
        asyncio.sleep(seconds),  # a visit in which all are refused takes as long
        return_exceptions=True,
    )
    camera, live, mjpeg, still = (answer if isinstance(answer, int) else 0 for answer in answers)
    problems = [repr(answer) for answer in answers if isinstance(answer, BaseException)]
    return Visit(camera, live, mjpeg, still, "; ".join(problems))


async def _camera(port: int, pictures: Sequence[bytes], until_s: float) -> int:
    tally = Tally()
    await busy_client(port, pictures, until_s, tally)
    if time.monotonic() < until_s or tally.failed:
        raise BenchError(f"/ws/camera was closed, or had errors: {tally.failed}")
    return tally.tracked


async def soak(
    server: tuple[subprocess.Popen[str], int],
    pictures: Sequence[bytes],
    plan: Plan,
    on_visit: Callable[[], None] = lambda: None,
) -> tuple[list[Visit], list[Look]]:
    """Visit a server, its process and port, as planned, and look at it in the middle of some visits.

    Raises :class:`~tracker.errors.BenchError` if the server ends.
    """
    process, port = server
    done: list[Visit] = []
    looks: list[Look] = []
    begun_s = time.monotonic()

    async def look() -> None:
        await asyncio.sleep(plan.every_s / 2)
        minutes = round((time.monotonic() - begun_s) / 60, 2)
        looks.append(Look(minutes, Resources.of(process.pid), sum(one.failed for one in done)))

    for turn in range(1, plan.visits + 1):
        if process.poll() is not None:
            raise BenchError(f"the server ended with code {process.returncode} after {len(done)} visits")
        looking = asyncio.create_task(look()) if turn % plan.visits_a_look == 0 else None
        done.append(await visit(port, pictures, plan.every_s))
        if looking:
            await looking
        on_visit()
    return done, looks


def main(
    minutes: Annotated[float, typer.Option(min=8, help="Of the whole.")] = 60.0,
    every: Annotated[float, typer.Option(min=1, max=60, help="Seconds of a visit.")] = 10.0,
    model: ModelOption = "unet-light",
    backend: BackendOption = "cpu",
    threads: ThreadsOption = 2,
    json_path: JsonOption = None,
) -> None:
    """Let clients of a server come back for an hour, and tell what grows."""
    check_outputs(json_path)
    options = TrackerOptions(model, backend, threads=threads)
    pictures = [jpeg(frame.image_bgr) for frame in portrait_frames(TURN, SIZE)]
    plan = Plan.of(minutes, every)
    with ExitStack() as stack:
        server = stack.enter_context(serving(options))
        advance = stack.enter_context(progress_bar("visiting", plan.visits))
        done, looks = asyncio.run(soak(server, pictures, plan, advance))
    growth = Growth.of(looks)
    _print(done, looks, growth)
    write_report(
        json_path,
        options=asdict(options),
        plan=asdict(plan),
        growth=asdict(growth),
        failed=[asdict(one) for one in done if one.failed],
        answers=_answers(done),
        looks=[asdict(look) for look in looks],
    )


def _answers(done: Sequence[Visit]) -> dict[str, dict[str, float]]:
    """Return least and median answers a visit for each client."""
    counts = {name: [getattr(one, name) for one in done] for name in ("camera", "live", "mjpeg", "still")}
    return {
        name: {"least": min(values), "median": statistics.median(values)} for name, values in counts.items()
    }


def _print(done: Sequence[Visit], looks: Sequence[Look], growth: Growth) -> None:
    table = Table(title="the server's process", title_justify="left")
    for header in ("minute", "resident, MB", "threads", "files", "failed visits"):
        table.add_column(header, justify="right")
    for look in looks:
        values = (f"{look.minutes:.1f}", *asdict(look.process).values(), look.failed)
        table.add_row(*(str(value) for value in values))
    console = Console()
    console.print(table)
    answers = ", ".join(f"{name} {row['least']} / {row['median']:g}" for name, row in _answers(done).items())
    failed = [one for one in done if one.failed]
    console.print(f"{len(done)} visits, {len(failed)} failed; answers a visit, least / median: {answers}")
    if failed:
        console.print(f"the first failure: {failed[0]}", markup=False)
    console.print(
        f"resident memory after {SETTLE_MIN:g} minutes: {growth.mb_per_hour:+} MB an hour, "
        f"standard error {growth.standard_error} ({growth.looks} looks)"
    )


if __name__ == "__main__":
    run_command(main)
