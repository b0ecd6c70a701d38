"""The command ``python -m tracker.steadiness``: jitter and lag of landmarks for each smoothing preset."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tracker.cli.options import Backend, Model, Threads
from tracker.errors import TrackerError
from tracker.inference.opening import open_blazeface, open_landmarker
from tracker.reports.steadiness.figures import FEWEST_FRAMES
from tracker.reports.steadiness.runs import (
    SCENES,
    MakeTracker,
    PictureMeasures,
    VideoMeasures,
    check_scheme,
    measure_picture,
    measure_video,
)
from tracker.sources.images.read import read_image
from tracker.sources.suffixes import IMAGE_SUFFIXES
from tracker.sources.video.source import VideoSource
from tracker.system.files import check_output, guarded_write, write_whole
from tracker.system.machine import describe_machine
from tracker.system.terminal import printable, progress_bar
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS

PORTRAIT = Path(__file__).resolve().parents[1] / "assets" / "astronaut.jpg"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def measure(  # noqa: PLR0913 - options of the command line
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[VIDEO|IMAGE]", help="Shows a face. Default: a shipped portrait."),
    ] = None,
    model: Model = "resnet18",
    backend: Backend = "cpu",
    threads: Threads = 0,
    smoothing: Annotated[
        list[str] | None,
        typer.Option(metavar="|".join(PRESETS), help="Measure this; repeat for several. Default: all."),
    ] = None,
    frames: Annotated[int, typer.Option(min=FEWEST_FRAMES, help="Of a video: at most this many.")] = 300,
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
    ] = None,
) -> None:
    """Measure how steady and how late points are, for each smoothing.

    A picture rests, slides and sways under sensor noise; of a video, motion above 5 Hz is told. On the points
    of either, eyes blink and the mouth speaks.
    """
    path = source or PORTRAIT
    presets = smoothing or list(PRESETS)
    if not set(presets) <= set(PRESETS):
        raise typer.BadParameter(f"--smoothing is one of {', '.join(PRESETS)}")
    if json_path:
        check_output(json_path, [path])
    open_models = partial(_opener, model, backend, threads)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        rows = [_flat(row) for row in _measure_image(path, open_models, presets)]
    else:
        rows = [_flat(row) for row in _measure_video(path, open_models, presets, frames)]
    Console().print(_table(f"{model}, {printable(path.name)}", rows))
    if json_path:
        report = {"machine": describe_machine(), "model": model, "source": path.name, "rows": rows}
        with guarded_write(json_path):
            write_whole(json_path, (json.dumps(report, indent=2) + "\n").encode("utf-8", "backslashreplace"))


def _measure_image(
    path: Path, open_models: Callable[[], MakeTracker], presets: Sequence[str]
) -> Sequence[PictureMeasures]:
    image_bgr = read_image(path)
    make = open_models()
    with progress_bar(path.name, sum(motion.frames for motion in SCENES)) as advance:
        return measure_picture(image_bgr, str(path), make, presets, advance)


def _measure_video(
    path: Path, open_models: Callable[[], MakeTracker], presets: Sequence[str], frames: int
) -> Sequence[VideoMeasures]:
    with VideoSource(path) as video:
        make = open_models()
        with progress_bar(path.name, min(frames, video.frame_count or frames)) as advance:
            return measure_video(islice(video, frames), str(path), make, presets, advance)


def _opener(model: str, backend: str, threads: int) -> MakeTracker:
    landmarker = open_landmarker(model, backend, threads).landmarker
    check_scheme(landmarker.scheme)
    detector = open_blazeface(threads)
    return lambda: FaceTracker(detector, landmarker, TrackerSettings(max_faces=1))


def _flat(row: PictureMeasures | VideoMeasures) -> dict[str, Any]:
    fields = asdict(row)
    kept = fields.pop("kept")
    return {**fields, **kept}


def _table(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Return a table with a row for each figure and a column for each smoothing preset."""
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.caption = "Lags in frames, kept in % of the opening, the rest in % inter-ocular."
    table.add_column("smoothing")
    for row in rows:
        table.add_column(row["smoothing"], justify="right")
    for name in list(rows[0])[1:]:
        values = (row[name] for row in rows)
        shown = (f"{value:.3f}" if isinstance(value, float) else str(value) for value in values)
        table.add_row(name.replace("_", " "), *shown)
    return table


def main() -> None:
    """Run the command. Exit codes: 0 done, 1 one-line error, 2 wrong usage."""
    try:
        app()
    except TrackerError as error:
        typer.echo(f"tracker.steadiness: {printable(str(error))}", err=True)
        sys.exit(1)
