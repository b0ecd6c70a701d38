"""``python -m tracker.steadiness``: jitter, lag and what is left of blinks, for each smoothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tracker.errors import TrackerError
from tracker.images import SUFFIXES, read_image
from tracker.machine import describe_machine
from tracker.opening import open_blazeface, open_landmarker
from tracker.pipeline import FaceTracker, TrackerSettings
from tracker.progress import progress_bar
from tracker.steadiness.run import OnPicture, OnVideo, on_picture, on_video
from tracker.video_sink import check_output, sink_errors

PORTRAIT = Path(__file__).resolve().parent.parent / "assets" / "astronaut.jpg"


def main(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[PICTURE|VIDEO]", help="With a face. Default: a portrait."),
    ] = None,
    model: Annotated[str, typer.Option(help="Landmark model.")] = "resnet18",
    backend: Annotated[str, typer.Option(help="Where it runs.")] = "auto",
    frames: Annotated[int, typer.Option(min=60, help="Frames of each scene, and of a video at most.")] = 120,
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
    ] = None,
) -> None:
    """Measure how steady and how late the points are, for each smoothing.

    A picture is shown still under sensor noise, and swinging at up to half a face width a second; on its
    points eyes blink and the mouth speaks. Of a video, the motion above 5 Hz is told.
    """
    path = source or PORTRAIT
    if json_path:
        check_output(json_path, [path])
    landmarker, detector = open_landmarker(model, backend).landmarker, open_blazeface(0)

    def make() -> FaceTracker:
        return FaceTracker(detector, landmarker, TrackerSettings(max_faces=1))

    rows: Sequence[OnPicture | OnVideo]
    if path.suffix.lower() in SUFFIXES:
        with progress_bar(f"{path.name}, still and moving", 2 * frames) as advance:
            rows = on_picture(read_image(path), path.name, make, frames, advance)
    else:
        with progress_bar(path.name, frames) as advance:
            rows = on_video(path, make, frames, advance)
    found = [asdict(row) for row in rows]
    Console().print(_table(path.name, found))
    if json_path:
        report = {"machine": describe_machine(), "source": path.name, "model": model, "rows": found}
        with sink_errors(json_path):
            json_path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, caption_justify="left")
    table.caption = "Per cent of the distance between the outer eye corners; what is kept, of the opening."
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="left" if name == "smoothing" else "right")
    for row in rows:
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    return table


if __name__ == "__main__":
    try:
        typer.run(main)
    except TrackerError as error:
        typer.echo(f"steadiness: {error}", err=True)
        sys.exit(1)
