"""Options of the commands: names, limits and help texts."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Annotated, Literal

import typer


def named_path(text: str) -> Path:
    """Return the path ``text``; an empty one, as of an unset variable, is wrong usage, not this folder."""
    if not text:
        raise typer.BadParameter("the name is empty; give one, or leave the option out")
    return Path(text)


def cluster_address(text: str) -> str:
    """Return the address ``text`` of a Ray cluster; an empty one is wrong usage."""
    if not text:
        raise typer.BadParameter("give auto for the cluster of this computer, or an address")
    return text


def finite(number: float) -> float:
    """Return ``number`` if it is finite; infinity and NaN are wrong usage."""
    if not math.isfinite(number):
        raise typer.BadParameter(f"{number} is no size in pixels: give a number from 0 on")
    return number


DETECTORS = ("blazeface", "mediapipe", "none")
"""Names of the detectors; besides there are ONNX files of one's own."""


def names_path(text: str) -> bool:
    """Return whether ``text`` is surely meant as the path of a model: it ends in .onnx or has a separator."""
    return text.lower().endswith(".onnx") or not {"/", os.sep}.isdisjoint(text)


def detector_name(text: str) -> str:
    """Return the name or path ``text`` of a detector; anything else is wrong usage."""
    if text in DETECTORS or names_path(text):
        return text
    raise typer.BadParameter(f"{text!r} is none of {', '.join(DETECTORS)}, and no ONNX file such as a.onnx")


PANELS = {
    "Files": ("paths",),
    "Input": ("camera", "size", "fps", "fourcc", "video", "start", "end", "every", "images"),
    "Output": (
        *("output", "json", "resume", "csv", "openface", "parquet", "labels", "label_pixels"),
        *("osc", "virtual_camera", "open_result"),
    ),
    "Picture": ("draw", "labels_on_faces", "anonymise", "mask_scale", "mirror", "no_window"),
    "Faces": ("max_faces", "min_score", "min_face", "smoothing"),
    "Model": ("model", "backend", "detector", "boxes", "threads"),
    "Other": ("quiet", "version", "install_completion", "show_completion", "help"),
}
"""Panels of ``tracker --help`` in their order, each with the parameters that it shows."""

DEFAULT_MAX_FACES = 8
"""Faces that are followed in a video unless ``--max-faces`` is given."""


def _say_version(wanted: bool) -> None:
    if wanted:
        from tracker.distribution import version

        typer.echo(f"tracker {version()}")
        raise typer.Exit


Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE|FOLDER",
        help="Videos or pictures, told by their content; several videos are tracked one after the other.",
        show_default=False,
    ),
]
Camera = Annotated[
    str | None,
    typer.Option(
        metavar="N|PATH|URL",
        help="Camera number, device such as /dev/video2, or stream URL; list prints the cameras. Default: 0.",
    ),
]
Size = Annotated[str | None, typer.Option(metavar="WxH", help="Picture size to ask a camera for: 1280x720.")]
Fps = Annotated[
    float | None, typer.Option(min=1, max=1000, help="Frames per second of a camera or of numbered pictures.")
]
Fourcc = Annotated[str | None, typer.Option(metavar="CODE", help="Pixel format to ask a camera for: MJPG.")]
Video = Annotated[
    Path | None,
    typer.Option(
        parser=named_path,
        metavar="FILE",
        help="As FILE, for one video or frames_%04d.png.",
    ),
]
Start = Annotated[
    float, typer.Option(min=0, metavar="SECONDS", help="Leave out what a video shows before this time.")
]
End = Annotated[float | None, typer.Option(min=0, metavar="SECONDS", help="Stop at this time of a video.")]
Every = Annotated[int, typer.Option(min=1, metavar="N", help="Take only each N-th frame of a video.")]
Images = Annotated[
    str | None,
    typer.Option(metavar="DIR|GLOB", help="As FOLDER, or a quoted pattern like 'a/**/*.jpg'."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        parser=named_path,
        metavar="PATH",
        help="Annotated .mp4 .mkv .webm .mov .gif .avi; a folder for several, or x.png for a picture.",
    ),
]
Json = Annotated[
    Path | None,
    typer.Option(
        "--json",
        parser=named_path,
        metavar="FILE|-",
        help="Results as JSON lines, one per frame; - writes to standard output.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Continue an unfinished --json FILE; the result is the same as of one run."
    ),
]
Csv = Annotated[
    Path | None,
    typer.Option("--csv", parser=named_path, metavar="FILE", help="Results as CSV, one row per face."),
]
OpenFace = Annotated[
    Path | None,
    typer.Option(
        "--openface",
        parser=named_path,
        metavar="FILE.csv",
        help="Results of a video or camera with the columns of OpenFace 2.0.",
    ),
]
Parquet = Annotated[
    Path | None,
    typer.Option(
        "--parquet",
        parser=named_path,
        metavar="FILE",
        help="Results as Parquet, one row per face (extra: parquet).",
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        parser=named_path,
        metavar="FILE.xml|DIR",
        help="Of pictures: points as dlib's XML, or a .pts for each.",
    ),
]
LabelPixels = Annotated[
    Literal["stored", "upright"] | None,
    typer.Option(
        "--label-pixels",
        help="Pixels of --labels: stored ones, as dlib loads them (default), or upright by EXIF.",
    ),
]
Anonymise = Annotated[
    Literal["blur", "pixelate", "solid", "points"] | None,
    typer.Option(
        "--anonymise",
        "--anonymize",
        help="Cover every head in what is shown and written, or show nothing but what is drawn (points).",
    ),
]
MaskScale = Annotated[
    float | None,
    typer.Option(
        min=0.5,
        max=4,
        metavar="FACTOR",
        help="Size of what --anonymise covers over that of the head. Default: 1.",
    ),
]
Draw = Annotated[
    str | None,
    typer.Option(
        metavar="none|LAYERS",
        help="What to draw on pictures: none, or some of points, lines, mesh, box with commas between. "
        "Default: points,lines,box.",
    ),
]
LabelsOnFaces = Annotated[
    bool, typer.Option("--labels-on-faces", help="Write score, angles and blinks beside each face, too.")
]
Osc = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Send the faces of each frame to HOST:PORT as OSC (extra: osc)."),
]
VirtualCamera = Annotated[
    str | None,
    typer.Option(
        metavar="auto|DEVICE",
        help="Offer the annotated picture to other programs as a camera (extra: virtual-camera).",
    ),
]
Model = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE.onnx",
        help="Landmark model; `tracker info` lists the names, `tracker info FILE.onnx` describes a file.",
    ),
]
Backend = Annotated[
    str,
    typer.Option(
        metavar="auto|cpu|cuda|openvino", help="Where the landmark model runs; auto takes the best."
    ),
]
Detector = Annotated[
    str,
    typer.Option(
        parser=detector_name,
        autocompletion=lambda: list(DETECTORS),
        metavar="|".join((*DETECTORS, "FILE.onnx")),
        help="Face detector; none: a picture is a face. mediapipe, an extra, reports its use to Google.",
    ),
]
Boxes = Annotated[
    Path | None,
    typer.Option(
        parser=named_path,
        metavar="FILE",
        help="Boxes of the faces of one video or of pictures, as CSV or JSON lines, instead of a detector.",
    ),
]
Threads = Annotated[
    int, typer.Option(min=0, max=256, help="CPU threads for inference; 0: one per core, at most 4.")
]
MaxFaces = Annotated[
    int | None,
    typer.Option(min=1, help="At most this many faces, the largest. Default: 8 in videos, all in images."),
]
MinScore = Annotated[
    float,
    typer.Option(min=0, max=1, metavar="P", help="Report no face with a score below this, 0 to 1."),
]
MinFace = Annotated[
    float,
    typer.Option(
        min=0,
        callback=finite,
        metavar="PX",
        help="Report no face whose box is smaller: its longer side, in pixels.",
    ),
]
Smoothing = Annotated[
    Literal["off", "low", "high"],
    typer.Option(help="Steadiness of the points, at the cost of a little lag; images are never smoothed."),
]
Version = Annotated[
    bool,
    typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit."),
]
Mirror = Annotated[
    bool | None,
    typer.Option(
        "--mirror/--no-mirror",
        help="Mirror the window, as a mirror would show it. Default: only a camera of this computer.",
    ),
]
Open = Annotated[
    bool,
    typer.Option("--open", help="At the end show what --output made, in the system's viewer."),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="No progress bar and no notes: only warnings and errors."),
]
NoWindow = Annotated[
    bool, typer.Option("--no-window", help="Open no window; needed where there is no display.")
]
