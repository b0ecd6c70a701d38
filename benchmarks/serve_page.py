"""The page of ``tracker serve`` in a browser: frames a second, and the time from the camera to the screen.

Chromium plays a film of the portrait, 640x480 at 30 frames a second, as its camera. The page tracks it with a
server of this computer, and every frame that it shows is timed: "drawn" is from the capture, as the browser
tells it, to the end of drawing; "painted" to the end of the browser's next frame, which has the drawing in
it. The display itself is not in it. "CPU" is the time that server and browser spend on the processor for each
frame shown, which says more than the rate where other programs run: two cores have 67 ms for each of 30
frames a second. The browser has no graphics card here and draws on the processor, too. Linux only.

    python -m benchmarks.serve_page

It needs Chromium, and playwright of the extra ``dev``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

import tracker
from benchmarks.command import BackendOption, JsonOption, check_outputs, run_command, write_report
from tracker.distribution import clone_command
from tracker.errors import SourceError
from train.data.pictures import read_picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTH, HEIGHT, FPS, FRAMES = 640, 480, 30, 90
WIDTH_OF_TABLE = 100
WARM_UP_S = 3.0
"""Seconds before frames are timed."""

_OPTIONS = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no updates of the browser meanwhile
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--use-file-for-fake-video-capture={}",
)
_TIME = """
  () => {
    window.times = [];
    const channel = new MessageChannel();
    let waiting = [];
    channel.port1.onmessage = () => {
      for (const times of waiting) times.push(performance.now());
      waiting = [];
    };
    document.getElementById("canvas").addEventListener("shown", ({ detail }) => {
      const times = [detail.capturedMs, performance.now()];
      window.times.push(times);
      requestAnimationFrame(() => {
        waiting.push(times);
        channel.port2.postMessage(null);
      });
    });
  }
"""


@dataclass(frozen=True)
class Row:
    """Figures of one model: frames a second, medians and 95th percentiles in ms, and the load meanwhile.

    ``cpu_ms`` is the processor's time of server and browser for each frame shown, ``load`` the mean number of
    processes that wanted a processor in the last minute.
    """

    model: str
    frames: int
    fps: float
    cpu_ms: float
    drawn_ms: float
    drawn_p95_ms: float
    painted_ms: float
    painted_p95_ms: float
    load: float


def write_camera(path: Path) -> Path:
    """Write the film of the camera as raw video: the portrait, which moves on a circle."""
    portrait = read_picture(Path(tracker.__file__).parent / "assets" / "astronaut.jpg", colour=True)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for turn in np.linspace(0, 2 * np.pi, FRAMES, endpoint=False):
            place = np.array([[1.25, 0, 70 + 30 * np.sin(turn)], [0, 1.25, 10 + 30 * np.cos(turn)]])
            frame = cv2.warpAffine(portrait, place, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


@contextmanager
def serving(model: str, backend: str) -> Iterator[str]:
    """Run the server on a free port; yield its address. Raises :class:`SourceError` if it does not start."""
    command = [
        sys.executable,
        "-m",
        "tracker",
        "serve",
        "--quiet",
        "--port",
        "0",
        "--model",
        model,
        "--backend",
        backend,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if not address:
                raise SourceError("tracker serve does not start: see its message")
            yield address
        finally:
            process.terminate()


@contextmanager
def chromium(camera: Path) -> Iterator[Browser]:
    """Start Chromium with its camera. Raises :class:`SourceError` where something is missing."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SourceError("there is no Chromium: apt-get install chromium")
    if not find_spec("playwright"):
        raise SourceError(f"playwright is not installed: {clone_command('dev')}")
    from playwright.sync_api import sync_playwright

    args = [option.format(camera) for option in _OPTIONS]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=args)
        yield browser
        browser.close()


def processor_s() -> float:
    """Return the processor's seconds of all processes that this one has started, and theirs (proc(5))."""
    parents, seconds = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # one that has just ended
            pid, fields = int(path.parent.name), path.read_text().rpartition(")")[2].split()
            parents[pid] = int(fields[1])
            seconds[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    family = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(seconds[pid] for pid in family if pid != os.getpid())


def measure(browser: Browser, address: str, model: str, seconds: float) -> Row:
    """Return the figures of the page at ``address`` over so many seconds."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.goto(address)
        page.click("#start")
        page.wait_for_timeout(1000 * WARM_UP_S)
        page.evaluate(_TIME)
        before_s = processor_s()
        page.wait_for_timeout(1000 * seconds)
        spent_s = processor_s() - before_s
        times = np.array([row for row in page.evaluate("window.times") if len(row) == 3])
    if len(times) < 2:
        raise SourceError("the page has shown nothing: try more --seconds")
    drawn, painted = times[:, 1] - times[:, 0], times[:, 2] - times[:, 0]
    return Row(
        model,
        len(times),
        fps=float(1000 * (len(times) - 1) / (times[-1, 1] - times[0, 1])),
        cpu_ms=1000 * spent_s / len(times),
        drawn_ms=float(np.median(drawn)),
        drawn_p95_ms=float(np.percentile(drawn, 95)),
        painted_ms=float(np.median(painted)),
        painted_p95_ms=float(np.percentile(painted, 95)),
        load=os.getloadavg()[0],
    )


def print_rows(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table()
    headings = ("model", "frames", "fps", "CPU ms", "drawn ms", "p95", "painted ms", "p95", "load")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    for row in rows:
        values = list(asdict(row).values())
        table.add_row(row.model, str(row.frames), *(f"{value:.1f}" for value in values[2:]))
    Console(width=WIDTH_OF_TABLE).print(table)


def main(
    model: Annotated[list[str] | None, typer.Option(help="Landmark model; repeat. [default: two]")] = None,
    backend: BackendOption = "auto",
    seconds: Annotated[float, typer.Option(min=1, help="Seconds a model.")] = 20,
    report: JsonOption = None,
) -> None:
    """Measure the page of `tracker serve` in Chromium."""
    check_outputs(report)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        camera = write_camera(Path(folder) / "camera.y4m")
        for name in model or ("resnet18", "unet-light"):
            with serving(name, backend) as address, chromium(camera) as browser:
                rows.append(measure(browser, address, name, seconds))
    print_rows(rows)
    write_report(report, backend=backend, width=WIDTH, height=HEIGHT, rows=[asdict(row) for row in rows])


if __name__ == "__main__":
    run_command(main)
