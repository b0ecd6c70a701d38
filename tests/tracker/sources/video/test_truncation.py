from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.media import write_video
from tests.torture import UNDAMAGED, Recipe
from tracker.errors import SourceError
from tracker.sources.video.truncation import is_truncated

_RECIPES = {recipe.name: recipe for recipe in UNDAMAGED}


def _end_byte(path: Path) -> int:
    """Return the end of the last packet."""
    with av.open(str(path)) as container:
        return max((packet.pos or 0) + packet.size for packet in container.demux() if packet.size)


def _kind(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.format.name


@pytest.mark.parametrize(
    "name", ["flash.flv", "animation.gif", "windows.wmv", "fragments.mp4", "no_duration.mkv", "vp9.webm"]
)
def test_complete_files_are_told_from_cut_ones(tmp_path: Path, name: str) -> None:
    path = _RECIPES[name].write(tmp_path)
    kind, end_byte = _kind(path), _end_byte(path)
    assert not is_truncated(path, kind, end_byte)
    path.write_bytes(path.read_bytes()[: end_byte - 40])
    assert is_truncated(path, kind, end_byte - 80)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_a_file_cut_within_its_last_packets_is_truncated(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    write_video(
        path, 30, tick=Fraction(1, 30), options={"movflags": "faststart"} if suffix == ".mp4" else None
    )
    kind, end_byte = _kind(path), _end_byte(path)
    assert not is_truncated(path, kind, end_byte)
    path.write_bytes(path.read_bytes()[: end_byte - 40])
    assert is_truncated(path, kind, end_byte - 40)


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        (struct.pack(">I4s", 8, b"ftyp"), False),
        (struct.pack(">I4s", 9, b"mdat"), True),  # one byte short
        (struct.pack(">I4s", 0, b"mdat"), False),  # up to the end of the file
        (struct.pack(">I4sQ", 1, b"mdat", 16), False),  # a length of 64 bits
        (struct.pack(">I4sQ", 1, b"mdat", 17), True),
        (struct.pack(">I4s", 3, b"mdat"), True),  # impossible
    ],
)
def test_boxes_of_an_mp4_must_end_with_the_file(tmp_path: Path, boxes: bytes, expected: bool) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(boxes)
    assert is_truncated(path, "mov,mp4,m4a,3gp,3g2,mj2", 0) == expected


def test_containers_that_state_no_length_count_as_complete(tmp_path: Path) -> None:
    path = Recipe("raw.h264", format="h264").write(tmp_path)
    assert not is_truncated(path, "h264", 0)


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        is_truncated(tmp_path / "gone.avi", "avi", 0)
