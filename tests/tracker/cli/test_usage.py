"""Checks of options and their combinations."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import typer

from tracker.cli.usage import (
    STDOUT,
    check_one_picture,
    check_outputs,
    check_resume,
    check_source,
    parse_camera_mode,
    parse_size,
    parse_trim,
)
from tracker.runs.targets import OutputTargets
from tracker.sources.camera.mode import CameraMode
from tracker.sources.trim import Trim

NOTHING = OutputTargets()
IMAGES, VIDEO_SHOWN, VIDEO = (True, False), (False, True), (False, False)  # is_images, shown


@pytest.mark.parametrize(
    ("targets", "anonymised", "source", "words"),
    [
        (NOTHING, False, VIDEO, "nothing to do"),
        (NOTHING, False, IMAGES, "nothing to do"),
        (NOTHING, True, IMAGES, "nothing to do"),
        (OutputTargets(json=Path("o")), True, VIDEO, "--anonymise hides faces"),
        (OutputTargets(virtual_camera="auto"), False, IMAGES, "--virtual-camera"),
        (OutputTargets(openface=Path("o.csv")), False, IMAGES, "--openface"),
        (OutputTargets(labels=Path("l.xml")), False, VIDEO_SHOWN, "--labels"),
        (OutputTargets(csv=STDOUT), False, VIDEO_SHOWN, "only --json -"),
        (OutputTargets(parquet=STDOUT, json=STDOUT), False, VIDEO_SHOWN, "only --json -"),
        (OutputTargets(osc=""), False, VIDEO, "nothing to do"),
        (OutputTargets(osc=""), False, VIDEO_SHOWN, "an empty name"),
        (
            OutputTargets(csv=Path("o"), openface=Path("./o")),
            False,
            VIDEO_SHOWN,
            "two outputs have the same file",
        ),
        (
            OutputTargets(json=STDOUT, parquet=Path("/dev/stdout")),
            False,
            VIDEO_SHOWN,
            "two outputs have the same file",
        ),
        (
            OutputTargets(json=Path("o"), csv=Path("./o.resume")),
            False,
            VIDEO_SHOWN,
            "two outputs have the same file",
        ),
        (
            OutputTargets(parquet=Path("o"), csv=Path("o.part")),
            False,
            VIDEO_SHOWN,
            "two outputs have the same file",
        ),
        (OutputTargets(output=Path("y.mp4")), False, IMAGES, "is the name of a film"),
        (OutputTargets(output=Path("y_%03d.png")), False, IMAGES, "is the name of a film"),
    ],
)
def test_outputs_that_do_not_suit_are_wrong_usage(
    targets: OutputTargets, anonymised: bool, source: tuple[bool, bool], words: str
) -> None:
    with pytest.raises(typer.BadParameter, match=words):
        check_outputs(targets, anonymised, *source)


@pytest.mark.parametrize(
    ("targets", "anonymised", "source"),
    [
        (NOTHING, False, VIDEO_SHOWN),
        (NOTHING, True, VIDEO_SHOWN),
        (OutputTargets(virtual_camera="auto"), True, VIDEO),
        (
            OutputTargets(json=STDOUT, csv=Path("a"), openface=Path("b"), parquet=Path("c")),
            False,
            VIDEO,
        ),
        (OutputTargets(labels=Path("l"), output=Path("o")), True, IMAGES),
        (OutputTargets(output=Path("y.png")), True, IMAGES),
    ],
)
def test_outputs_that_suit_pass(targets: OutputTargets, anonymised: bool, source: tuple[bool, bool]) -> None:
    check_outputs(targets, anonymised, *source)


def test_sizes_are_width_and_height() -> None:
    assert parse_size("1280x720") == (1280, 720)
    for text in ("1280", "1280x", "0x10", "1280X720", "1280x720x3", " 1280x720", "\u0661\u0662x\u0661\u0662"):
        with pytest.raises(typer.BadParameter, match="WIDTHxHEIGHT"):
            parse_size(text)


def test_only_a_camera_of_this_computer_has_a_mode() -> None:
    assert parse_camera_mode("0", "640x480", 30, "MJPG") == CameraMode((640, 480), 30, "MJPG")
    assert parse_camera_mode(None, None, None, None) == CameraMode()
    assert parse_camera_mode("http://camera", None, None, None) == CameraMode()
    for device in (None, "http://camera"):
        with pytest.raises(typer.BadParameter, match="a camera of this computer"):
            parse_camera_mode(device, None, 30, None)
    with pytest.raises(typer.BadParameter):
        parse_camera_mode("0", None, None, "too long")


def test_only_a_video_is_trimmed() -> None:
    assert parse_trim(True, 1.0, None, 2) == Trim(1.0, math.inf, 2)
    assert parse_trim(False, 0.0, None, 1) == Trim()
    with pytest.raises(typer.BadParameter, match="are for videos"):
        parse_trim(False, 1.0, None, 1)
    with pytest.raises(typer.BadParameter):
        parse_trim(True, 2.0, 1.0, 1)


def test_there_is_one_source() -> None:
    check_source((), None, None, "photos")
    check_source(("a.mp4", "b.mp4"), None, None, None)
    with pytest.raises(typer.BadParameter, match="only one of"):
        check_source((), "0", Path("in.mp4"), None)
    with pytest.raises(typer.BadParameter, match="only one of"):
        check_source(("a.mp4",), "0", None, None)


@pytest.mark.parametrize(
    ("reads_files", "targets"),
    [
        (False, OutputTargets(json=Path("o"))),
        (True, NOTHING),
        (True, OutputTargets(json=STDOUT)),
        (True, OutputTargets(json=Path("o"), csv=Path("c"))),
        (True, OutputTargets(json=Path("o"), osc="h:1")),
    ],
)
def test_only_json_lines_in_a_file_are_resumed(reads_files: bool, targets: OutputTargets) -> None:
    check_resume(True, OutputTargets(json=Path("o")))
    with pytest.raises(typer.BadParameter, match="--resume goes on with"):
        check_resume(reads_files, targets)


def test_a_name_that_is_no_picture_is_wrong_usage_for_one_picture(tmp_path: Path) -> None:
    picture, output = tmp_path / "x.jpg", tmp_path / "y.txt"
    picture.touch()
    with pytest.raises(typer.BadParameter, match=r"y\.png, or a folder: create 'y\.txt' first"):
        check_one_picture(str(picture), OutputTargets(output=output))
    for fine in (tmp_path / "y.png", tmp_path / "y", None):
        check_one_picture(str(picture), OutputTargets(output=fine))
    check_one_picture(str(tmp_path), OutputTargets(output=output))  # a folder of pictures
    output.mkdir()
    check_one_picture(str(picture), OutputTargets(output=output))
