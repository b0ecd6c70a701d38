"""Checks of option values and their combinations; each raises ``typer.BadParameter``."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import typer

from tracker.runs.targets import OutputTargets
from tracker.sources.camera.mode import CameraMode, is_local_camera
from tracker.sources.trim import Trim

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
            "--size, --fps and --fourcc are for a camera of this computer: files and streams come as they are"
        )
    return mode


def parse_trim(video: Path | None, start: float, end: float | None, every: int) -> Trim:
    """Return the part of ``video`` to read; it must not be empty, and needs a video."""
    try:
        part = Trim(start, math.inf if end is None else end, every)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if part != Trim() and video is None:
        raise typer.BadParameter("--start, --end and --every are for --video")
    return part


def refuse_lost_options(context: typer.Context) -> None:
    """Refuse options before a command's name, which would not reach the command."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source and source.name == "COMMANDLINE":
            option, command = name.replace("_", "-"), context.invoked_subcommand
            raise typer.BadParameter(
                f"--{option} stands before {command}, which takes options after its name"
            )


def check_source(camera: str | None, video: Path | None, images: str | None) -> None:
    """Refuse more than one source."""
    if sum(source is not None for source in (camera, video, images)) > 1:
        raise typer.BadParameter("give only one of --camera, --video and --images")


def check_resume(reads_files: bool, targets: OutputTargets) -> None:
    """Refuse ``--resume`` unless JSON lines in a file are the only output of a video or images."""
    if not reads_files or targets.json in (None, STDOUT) or replace(targets, json=None).any:
        raise typer.BadParameter(
            "--resume goes on with --json FILE of a --video or --images run, and with no other output"
        )


def check_outputs(targets: OutputTargets, anonymised: bool, is_images: bool, shown: bool) -> None:
    """Refuse outputs that do not suit the source or each other; ``shown``: there is a window."""
    if not shown and not targets.any:
        raise typer.BadParameter("nothing to do: without a window give --output, --json or another output")
    if is_images and targets.virtual_camera:
        raise typer.BadParameter("--virtual-camera shows a camera or a video, not --images")
    if is_images and targets.openface:
        raise typer.BadParameter("--openface is a table over time, not for --images; take --csv")
    if not is_images and targets.labels:
        raise typer.BadParameter("--labels is for --images; take --csv or --openface")
    if anonymised and not (shown or targets.output or targets.virtual_camera):
        raise typer.BadParameter("--anonymise is for pictures: give --output with it")
    if "" in (targets.osc, targets.virtual_camera) or STDOUT in replace(targets, json=None).paths:
        raise typer.BadParameter("an empty name, or - for a file; only --json - is standard output")
    _check_distinct(targets)


def _check_distinct(targets: OutputTargets) -> None:
    """Refuse outputs that share a file, also one that a run keeps beside an output while it goes on."""
    places = [Path("/dev/stdout" if path == STDOUT else path).resolve() for path in targets.paths]
    for path, suffix in ((targets.json, ".resume"), (targets.parquet, ".part")):
        if isinstance(path, Path) and path.name:
            places.append(path.with_name(path.name + suffix).resolve())
    if len(set(places)) < len(places):
        raise typer.BadParameter("--output, --json, --csv and the other outputs need a file each")
