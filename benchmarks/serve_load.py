"""Load on ``tracker serve``: many clients, sleeping ones among them; memory, fairness, times, and the end.

A server shows a clip of the portrait, 640x480. In turn:

- round trips of one client of ``/ws/camera`` that has two pictures in flight, as the page has;
- ``POST /api/faces`` of one picture, in turn with ``find`` on the same picture in this process;
- clients at 30 pictures a second each, while others read nothing: half of these send pictures all the time,
  half watch the live source; who is disconnected comes back;
- a client that connects, sends three pictures and leaves, again and again;
- SIGTERM while clients are busy.

    python -m benchmarks.serve_load --seconds 300
"""

from __future__ import annotations

import asyncio
import http.client
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

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
    post,
    processor_s,
    pushing_client,
    viewing_client,
)
from tracker.errors import BenchError
from tracker.reports.bench.clip import TURN, portrait_frames, write_clip
from tracker.tracking.opening import TrackerOptions, keep_opencv_to_one_thread
from tracker.types import Frame

SIZE = (640, 480)
PICTURES = 100
"""Still pictures that are sent."""

_LOOKS = 10
_SETTLE_S = 3.0
_END_S = 30.0


@dataclass(frozen=True)
class Percentiles:
    """Median, 95th percentile and largest of ``count`` times in milliseconds."""

    count: int
    median_ms: float
    p95_ms: float
    max_ms: float

    @classmethod
    def of(cls, times_ms: Sequence[float]) -> Percentiles:
        """Return those of some times; raises :class:`~tracker.errors.BenchError` for less than two."""
        if len(times_ms) < 2:
            raise BenchError("too few answers to measure: give --seconds more, or a faster --model")
        p95 = statistics.quantiles(times_ms, n=20)[-1]
        return cls(len(times_ms), *(round(v, 2) for v in (statistics.median(times_ms), p95, max(times_ms))))


@dataclass(frozen=True)
class Fairness:
    """Pictures tracked for each of several busy clients: least, median, most, and Jain's index.

    The index is 1 if all get the same, and 1 / n if one gets everything (R. Jain, D. Chiu, W. Hawe, DEC
    research report TR-301, 1984).
    """

    clients: int
    least: int
    median: float
    most: int
    jain: float
    failed: int

    @classmethod
    def of(cls, tallies: Sequence[Tally]) -> Fairness:
        """Return the fairness of what some clients got."""
        got = [tally.tracked for tally in tallies]
        squares = len(got) * sum(value**2 for value in got)
        jain = round(sum(got) ** 2 / squares, 4) if squares else 0.0
        failed = sum(tally.failed for tally in tallies)
        return cls(len(got), min(got), statistics.median(got), max(got), jain, failed)


@contextmanager
def serving(options: TrackerOptions) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a server that shows a clip of the portrait, and yield its process and port."""
    command = [sys.executable, "-m", "tracker", "serve", "--port", "0", "--quiet"]
    command += ["--model", options.model, "--backend", options.backend, "--threads", str(options.threads)]
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(clip, TURN, SIZE)
        with subprocess.Popen([*command, "--video", str(clip)], stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                port = urlsplit(process.stdout.readline().strip()).port
                if port is None:
                    raise BenchError("the server did not start: it says why above")
                yield process, port
            finally:
                process.kill()


async def round_trips(port: int, pictures: Sequence[bytes], seconds: float) -> Percentiles:
    """Measure one client alone."""
    tally = Tally(round_trips_ms=[])
    await busy_client(port, pictures, time.monotonic() + seconds, tally)
    assert tally.round_trips_ms is not None
    return Percentiles.of(tally.round_trips_ms[FIRST:])


FIRST = 10
"""Answers that are left out of the times: the tracker is warming up."""


def rest_times(
    pid: int, port: int, picture: Frame, options: TrackerOptions
) -> tuple[Percentiles, Percentiles, float]:
    """Measure ``find`` on a picture and ``POST /api/faces`` with it as a JPEG, in turn.

    Returns both, and the ratio of the processor time of the server to that of ``find``: other programs on the
    computer disturb it least.
    """
    find_ms, post_ms = [], []
    server_s = find_s = 0.0
    data = jpeg(picture.image_bgr)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    keep_opencv_to_one_thread()  # as the server does
    with options.open() as tracker:
        for turn in range(PICTURES + FIRST):
            if turn == FIRST:
                server_s, find_s = processor_s(pid), 0.0
            begun_s, processor_before_s = time.perf_counter(), time.process_time()
            tracker.find(picture)
            between_s = time.perf_counter()
            find_s += time.process_time() - processor_before_s
            post(connection, data)
            find_ms.append(1000 * (between_s - begun_s))
            post_ms.append(1000 * (time.perf_counter() - between_s))
        ratio = (processor_s(pid) - server_s) / find_s
    connection.close()
    return Percentiles.of(find_ms[FIRST:]), Percentiles.of(post_ms[FIRST:]), round(ratio, 2)


async def crowd(
    pid: int, port: int, pictures: Sequence[bytes], counts: tuple[int, int], seconds: float
) -> tuple[Fairness, list[Resources]]:
    """Let busy and sleeping clients, as many as ``counts`` says, load a server, and look at its resources."""
    busy, sleeping = counts
    until_s = time.monotonic() + seconds
    tallies = [Tally() for _ in range(busy)]
    looks: list[Resources] = []

    async def look() -> None:
        for _ in range(_LOOKS):
            await asyncio.sleep(seconds / (_LOOKS + 1))
            looks.append(Resources.of(pid))

    await asyncio.gather(
        look(),
        *(busy_client(port, pictures, until_s, tally) for tally in tallies),
        *(pushing_client(port, pictures, until_s) for _ in range(sleeping // 2)),
        *(viewing_client(port, until_s) for _ in range(sleeping - sleeping // 2)),
    )
    return Fairness.of(tallies), looks


async def reconnecting(pid: int, port: int, pictures: Sequence[bytes], times: int) -> list[Resources]:
    """Connect, send three pictures and leave, ``times`` times, and look at the server's resources."""
    looks = []
    for turn in range(times):
        await busy_client(port, pictures, time.monotonic() + 0.08, Tally())
        if (turn + 1) % max(times // _LOOKS, 1) == 0:
            looks.append(Resources.of(pid))
    return looks


async def ending(process: subprocess.Popen[str], port: int, pictures: Sequence[bytes], busy: int) -> float:
    """Send SIGTERM while clients are busy, and return the seconds until the process has ended."""
    until_s = time.monotonic() + 2.0
    clients = [asyncio.create_task(busy_client(port, pictures, until_s, Tally())) for _ in range(busy)]
    await asyncio.sleep(1.0)
    begun_s = time.monotonic()
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(process.wait, _END_S)
    took_s = time.monotonic() - begun_s
    await asyncio.gather(*clients, return_exceptions=True)
    return round(took_s, 2)


def main(  # noqa: PLR0913 - options of a command
    seconds: Annotated[float, typer.Option(min=1, help="Of the crowd.")] = 60.0,
    connections: Annotated[int, typer.Option(min=2, max=60, help="Clients of the crowd.")] = 50,
    sleeping: Annotated[int, typer.Option(min=0, help="Those among them that read nothing.")] = 10,
    reconnects: Annotated[int, typer.Option(min=1, help="Visits of the client that comes and goes.")] = 360,
    model: ModelOption = "unet-light",
    backend: BackendOption = "cpu",
    threads: ThreadsOption = 2,
    json_path: JsonOption = None,
) -> None:
    """Measure a server under load."""
    check_outputs(json_path)
    options = TrackerOptions(model, backend, threads=threads)
    frames = list(portrait_frames(TURN, SIZE))
    pictures = [jpeg(frame.image_bgr) for frame in frames]
    with ExitStack() as stack:
        process, port = stack.enter_context(serving(options))
        alone = asyncio.run(round_trips(port, pictures, 10.0))
        find, rest, processor = rest_times(process.pid, port, frames[0], options)
        before = Resources.of(process.pid)
        counts = connections - sleeping, sleeping
        fairness, during = asyncio.run(crowd(process.pid, port, pictures, counts, seconds))
        time.sleep(_SETTLE_S)
        after = Resources.of(process.pid)
        visits = asyncio.run(reconnecting(process.pid, port, pictures, reconnects))
        end_s = asyncio.run(ending(process, port, pictures, min(8, connections)))
    ratios = {"median": round(rest.median_ms / find.median_ms, 2), "processor": processor}
    _print_times({"round trip of one client": alone, "find": find, "POST /api/faces": rest}, ratios)
    _print_looks({"before": [before], "crowd": during, "after": [after], "visits": visits})
    console = Console()
    console.print(
        f"{fairness.clients} busy clients, tracked pictures each: {fairness.least} to {fairness.most}, "
        f"median {fairness.median:g}, Jain's index {fairness.jain}; {fairness.failed} failed"
    )
    console.print(f"SIGTERM under load: ended after {end_s} s with code {process.returncode}")
    write_report(
        json_path,
        options=asdict(options),
        round_trip=asdict(alone),
        find=asdict(find),
        rest=asdict(rest),
        ratios=ratios,
        fairness=asdict(fairness),
        resources={
            "before": asdict(before),
            "crowd": [asdict(look) for look in during],
            "after": asdict(after),
            "visits": [asdict(look) for look in visits],
        },
        end_s=end_s,
    )


def _print_times(rows: dict[str, Percentiles], ratios: dict[str, float]) -> None:
    caption = f"POST over find: {ratios['median']} of the medians, {ratios['processor']} of processor time."
    table = Table(title="times, ms", title_justify="left", caption=caption)
    for header in ("", "count", "median", "95 %", "largest"):
        table.add_column(header, justify="right")
    for name, row in rows.items():
        table.add_row(name, *(str(value) for value in asdict(row).values()))
    Console().print(table)


def _print_looks(rows: dict[str, Sequence[Resources]]) -> None:
    table = Table(title="the server's process", title_justify="left")
    for header in ("", "resident, MB", "threads", "files"):
        table.add_column(header, justify="right")
    for name, looks in rows.items():
        for look in looks:
            table.add_row(name, *(str(value) for value in asdict(look).values()))
    Console().print(table)


if __name__ == "__main__":
    run_command(main)
