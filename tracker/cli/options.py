"""Options of the commands: names, limits and help texts."""

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
        metavar="N|PATH|URL",
        help="Camera number, device such as /dev/video2, or stream URL; list prints the cameras. Default: 0.",
    ),
]
Size = Annotated[str | None, typer.Option(metavar="WxH", help="Picture size to ask a camera for: 1280x720.")]
Fps = Annotated[
    float | None, typer.Option(min=1, max=1000, help="Frames a second, of a camera or of numbered pictures.")
]
Fourcc = Annotated[str | None, typer.Option(metavar="CODE", help="Pixel format to ask a camera for: MJPG.")]
Video = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Video file, or frames_%04d.png: each frame is tracked.")
]
Start = Annotated[
    float, typer.Option(min=0, metavar="SECONDS", help="Leave out what a --video shows before this time.")
]
End = Annotated[
    float | None, typer.Option(min=0, metavar="SECONDS", help="Leave out what it shows from this time on.")
]
Every = Annotated[int, typer.Option(min=1, metavar="N", help="Take only each N-th frame of a --video.")]
Images = Annotated[
    str | None,
    typer.Option(metavar="DIR|GLOB", help="Image folder, one image, or a quoted pattern like 'a/**/*.jpg'."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Annotated .mp4 .mkv .webm .mov .gif .avi, for --images a folder.",
    ),
]
Json = Annotated[
    Path | None,
    typer.Option(
        "--json", metavar="FILE|-", help="Results as JSON lines, one a frame; - is standard output."
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on with a --json FILE that an earlier run did not finish, identically."
    ),
]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Results as CSV, one row a face.")]
OpenFace = Annotated[
    Path | None,
    typer.Option(
        "--openface",
        metavar="FILE.csv",
        help="Results of a video or camera with the columns of OpenFace 2.0.",
    ),
]
Parquet = Annotated[
    Path | None,
    typer.Option("--parquet", metavar="FILE", help="Results as Parquet, one row a face (extra: parquet)."),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels", metavar="FILE.xml|DIR", help="For --images: points as dlib's XML, or a .pts for each."
    ),
]
Anonymise = Annotated[
    Literal["blur", "points"] | None,
    typer.Option(help="Blur every face in what is shown and written, or show nothing but the points."),
]
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
