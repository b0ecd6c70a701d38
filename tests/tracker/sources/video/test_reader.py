from __future__ import annotations

from pathlib import Path

import pytest

from tests.media import write_video
from tracker.errors import MisuseError, SourceError
from tracker.sources.video import reader as readers
from tracker.sources.video.reader import OpenVideo, VideoReader
from tracker.types import Damage


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Record every file that a reader opens."""
    paths: list[Path] = []

    class Recorded(OpenVideo):
        def __init__(self, path: Path, *args: None) -> None:
            paths.append(path)
            super().__init__(path, *args)

    monkeypatch.setattr(readers, "OpenVideo", Recorded)
    return paths


def test_an_undamaged_file_is_read_in_one_pass(tmp_path: Path, opened: list[Path]) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 20)
    with VideoReader(path) as reader:
        pictures = list(reader)
        assert reader.rest() is None
        assert reader.fps == 30
    assert [decoded.damage for decoded in pictures] == [None] * 20
    ticks = [decoded.tick for decoded in pictures]
    assert ticks == [512 * index for index in range(20)]
    assert opened == [path]


def test_a_damaged_file_is_read_again_from_the_beginning(tmp_path: Path, opened: list[Path]) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 60, options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 7 // 10])
    with VideoReader(path) as reader:
        pictures = list(reader)
        rest = reader.rest()
    assert opened == [path, path]
    ticks = [decoded.tick for decoded in pictures]
    assert len(set(ticks)) == len(ticks) > 20
    assert isinstance(rest, Damage)
    assert rest.lost_after is not None
    missing = sum(decoded.damage.lost_before for decoded in pictures if decoded.damage)
    assert len(pictures) + missing + rest.lost_after == 60


def test_a_closed_reader_cannot_be_read_and_has_no_stream(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 5)
    reader = VideoReader(path)
    pictures = iter(reader)
    next(pictures)
    reader.close()
    reader.close()
    for unread in (pictures, iter(reader)):
        with pytest.raises(MisuseError, match=r"a\.mp4 was closed"):
            next(unread)
    with pytest.raises(ValueError, match=r"a\.mp4 was closed"):
        _ = reader.video


def test_a_file_without_video_is_closed_again(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        VideoReader(tmp_path / "gone.mp4")
