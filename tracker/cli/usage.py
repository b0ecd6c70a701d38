"""Checks of option values and their combinations; each raises ``typer.BadParameter``."""

from __future__ import annotations

import math
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer

from tracker.cli.drawing import has_pictures
from tracker.cli.inputs import Inputs, names_folder
from tracker.runs.targets import VIDEO_SUFFIXES, OutputTargets
from tracker.sources.camera.mode import CameraMode, is_local_camera
from tracker.sources.patterns import is_numbered
from tracker.sources.trim import Trim
from tracker.system.addresses import is_elsewhere
from tracker.system.terminal import printable

STDOUT = Path("-")
"""Value of ``--json`` for standard output."""


def parse_size(text: str) -> tuple[int, int]:
    """Return width and height of a picture from text such as ``1280x720``."""
    found = re.fullmatch(r"([1-9]\d{1,4})x([1-9]\d{1,4})", text, re.ASCII)
    if not found:
        raise typer.BadParameter(f"a size is WIDTHxHEIGHT such as 1280x720, got {text!r}")
    return int(found[1]), int(found[2])


def parse_camera_mode(
    device: str | None, size: str | None, fps: float | None, fourcc: str | None
) -> CameraMode:
    """Return the mode to ask the camera ``device`` for; only a camera of this computer has one.

    ``device`` is None without a camera.
    """
    try:
        mode = CameraMode(None if size is None else parse_size(size), fps, fourcc)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if mode != CameraMode() and not (device is not None and is_local_camera(device)):
        raise typer.BadParameter(
            "--size, --fps and --fourcc are for a camera of this computer; files and streams set their own"
        )
    return mode


def parse_trim(is_video: bool, start: float, end: float | None, every: int) -> Trim:
    """Return the part of a video to read; it must not be empty, and needs a video."""
    try:
        part = Trim(start, math.inf if end is None else end, every)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if part != Trim() and not is_video:
        raise typer.BadParameter("--start, --end and --every are for videos: tracker in.mp4 --every 2")
    return part


def check_source(paths: Sequence[str], camera: str | None, video: Path | None, images: str | None) -> None:
    """Refuse more than one source, and addresses where files are read."""
    if sum(source is not None for source in (paths or None, camera, video, images)) > 1:
        raise typer.BadParameter("give only one of files, --camera, --video and --images")
    for option, name in (("--video", video), ("--images", images)):
        if name is not None and is_elsewhere(str(name)):
            raise typer.BadParameter(f"{option} reads files; for an address use --camera URL")


def check_resume(reads_files: bool, targets: OutputTargets) -> None:
    """Refuse ``--resume`` unless JSON lines in a file are the only output of a video or images."""
    if not reads_files or targets.json in (None, STDOUT) or replace(targets, json=None).any:
        raise typer.BadParameter(
            "--resume goes on with --json FILE of one video, or of pictures, and with no other output"
        )


def check_outputs(targets: OutputTargets, anonymised: bool, is_images: bool, shown: bool) -> None:
    """Refuse outputs that do not suit the source or each other; ``shown``: there is a window."""
    if not shown and not targets.any:
        why = "pictures are not shown, give" if is_images else "without a window give"
        such = "--output marked" if is_images else "--json out.jsonl"
        raise typer.BadParameter(f"nothing to do: {why} an output, such as {such}")
    if is_images and targets.output and is_film_name(targets.output):
        raise typer.BadParameter(
            "--output of pictures is a folder, or a picture for one picture, and "
            f"{printable(targets.output.name)!r} is the name of a film"
        )
    if is_images and targets.virtual_camera:
        raise typer.BadParameter("--virtual-camera shows a camera or a video, not pictures")
    if is_images and targets.openface:
        raise typer.BadParameter("--openface is a table over time, not for pictures; take --csv FILE")
    if not is_images and targets.labels:
        raise typer.BadParameter("--labels is for pictures; take --csv FILE or --openface FILE.csv")
    if anonymised and not has_pictures(targets, shown):
        raise typer.BadParameter("--anonymise hides faces in what --output writes; give --output with it")
    if "" in (targets.osc, targets.virtual_camera) or STDOUT in replace(targets, json=None).paths:
        raise typer.BadParameter("an empty name, or - for a file; only --json - writes to standard output")
    _check_distinct(targets)


def check_detector(detector: str, max_faces: int | None) -> None:
    """Refuse several faces where the whole picture is one."""
    if detector == "none" and (max_faces or 1) > 1:
        raise typer.BadParameter("--detector none takes a picture for one face; leave --max-faces out")


def check_boxes(detector: str, inputs: Inputs) -> None:
    """Refuse ``--boxes`` beside another detector, and for anything but one video or pictures."""
    if detector != "blazeface":
        raise typer.BadParameter("--boxes takes the place of a detector; leave --detector out")
    if inputs.is_camera or len(inputs.films) > 1:
        raise typer.BadParameter("--boxes is a file of boxes of one video, or of pictures; give one of them")


def check_viewer(wanted: bool, targets: OutputTargets) -> None:
    """Refuse ``--open`` without the output that it shows."""
    if wanted and not targets.output:
        raise typer.BadParameter("--open shows what --output writes; give --output with it")


def check_folder(targets: OutputTargets) -> None:
    """Refuse an ``--output`` of several videos that is not a folder, by its name or on the disk."""
    output = targets.output
    if output is None or names_folder(output):
        return
    raise typer.BadParameter(
        f"--output of several videos is a folder, such as --output {shlex.quote(printable(output.stem))}"
    )


def check_one_picture(images: str, targets: OutputTargets) -> None:
    """Refuse an output with a suffix that is none of pictures, such as ``y.txt``, for one picture.

    It would become the name of a folder; one that is there already is taken.
    """
    output = targets.output
    if output is None or not output.suffix or targets.is_one_image or output.is_dir():
        return
    if Path(images).is_file():
        raise typer.BadParameter(
            f"--output of one picture is a picture such as {printable(output.stem)}.png, or a folder: create "
            f"{printable(output.name)!r} first if it is to be one"
        )


def is_film_name(output: Path) -> bool:
    """Return whether ``output`` is named like a video or numbered pictures, and is no folder."""
    return (output.suffix.lower() in VIDEO_SUFFIXES or is_numbered(output)) and not output.is_dir()


def _check_distinct(targets: OutputTargets) -> None:
    """Refuse outputs that share a file, also one that a run keeps beside an output while it goes on."""
    # Unlike Path.resolve() it accepts links that lead in a circle; opening them is refused later.
    places = [os.path.realpath("/dev/stdout" if path == STDOUT else path) for path in targets.paths]
    for path, suffix in ((targets.json, ".resume"), (targets.parquet, ".part")):
        if isinstance(path, Path) and path.name:
            places.append(os.path.realpath(path.with_name(path.name + suffix)))
    if len(set(places)) < len(places):
        raise typer.BadParameter("two outputs have the same file; give each of them its own")
