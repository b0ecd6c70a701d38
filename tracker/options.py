"""The options that the commands share: names, limits and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"tracker {version('tracker')}")
        raise typer.Exit


Camera = Annotated[
    str | None,
    typer.Option(
        metavar="N|PATH|URL", help="Camera number, device such as /dev/video2, or stream URL. Default: 0."
    ),
]
Video = Annotated[Path | None, typer.Option(metavar="FILE", help="Video file: every frame is tracked.")]
Images = Annotated[
    str | None,
    typer.Option(metavar="DIR|GLOB", help="Image folder, one image, or a quoted pattern like 'a/**/*.jpg'."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="Annotated .mp4, or for --images a folder."),
]
Json = Annotated[
    Path | None,
    typer.Option(
        "--json", metavar="FILE|-", help="Results as JSON lines, one a frame; - is standard output."
    ),
]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Results as CSV, one row a face.")]
Osc = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Send each frame's faces there as OSC messages (extra: osc)."),
]
VirtualCamera = Annotated[
    str | None,
    typer.Option(
        metavar="auto|DEVICE",
        help="Show the marked picture to other programs as a camera (extra: virtual-camera).",
    ),
]
Model = Annotated[str, typer.Option(help="Landmark model; `tracker info` lists them.")]
Backend = Annotated[
    str,
    typer.Option(
        metavar="auto|cpu|cuda|openvino", help="Where the landmark model runs; auto takes the best."
    ),
]
Detector = Annotated[
    Literal["blazeface", "mediapipe"],
    typer.Option(help="Face detector. mediapipe is an extra that reports usage."),
]
Threads = Annotated[
    int, typer.Option(min=0, max=256, help="CPU threads for inference; 0: one per core, at most 4.")
]
MaxFaces = Annotated[int, typer.Option(min=1, help="Follow at most this many faces.")]
Smoothing = Annotated[
    Literal["off", "low", "high"],
    typer.Option(help="Steadier points for a little lag; images are never smoothed."),
]
Version = Annotated[
    bool,
    typer.Option("--version", callback=_say_version, is_eager=True, help="Say which."),
]
NoWindow = Annotated[
    bool, typer.Option("--no-window", help="Show nothing on screen; needed without a display.")
]
