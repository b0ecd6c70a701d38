"""Sources by name, arrays as frames, and that nothing stays behind when the loop ends early."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.media import mjpeg_server, picture, picture_index, write_video
from tracker.errors import SourceError
from tracker.sources.camera.source import CameraSource
from tracker.sources.opening import PictureSource, Source, frame_from, open_source
from tracker.sources.video.source import VideoSource


def _threads() -> int:
    """Threads of this process, those of native libraries included where the system lists them."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in (1, 2, 10):
        cv2.imwrite(str(folder / f"{index}.png"), picture(index))
    write_video(tmp_path / "clip.mp4", 12)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind", "pictures"),
    [
        ("photos", PictureSource, [1, 2, 10]),
        ("photos/*.png", PictureSource, [1, 2, 10]),
        ("photos/2.png", PictureSource, [2]),
        ("clip.mp4", VideoSource, list(range(12))),
    ],
)
def test_a_name_opens_what_it_means(media: Path, name: str, kind: type, pictures: list[int]) -> None:
    for what in (media / name, str(media / name)):
        with open_source(what) as source:
            assert isinstance(source, kind)
            assert [picture_index(frame.image_bgr) for frame in source] == pictures


def test_a_url_is_a_camera() -> None:
    with mjpeg_server() as server, open_source(server.url) as source:
        assert isinstance(source, CameraSource)
        assert next(iter(source)).image_bgr.shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (77, "camera 77"), ("77", "camera 77"), ("/dev/video250", "/dev/video250"), ("gone.mp4", "gone.mp4"),
        ("gone.jpg", "no images match gone.jpg"), ("gone/*.jpg", r"no images match gone/\*\.jpg"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_named(
    tmp_path: Path, what: int | str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=words):
        open_source(what)


def test_a_name_with_brackets_is_a_name_where_it_exists(media: Path) -> None:
    (media / "clip.mp4").rename(media / "clip [1080p].mp4")
    with open_source(media / "clip [1080p].mp4") as source:
        assert len(list(source)) == 12


def test_unreadable_pictures_are_told_after_the_others(media: Path) -> None:
    (media / "photos" / "1.png").write_bytes(b"no")
    seen = []
    with open_source(media / "photos") as source, pytest.raises(SourceError, match=r"1 image could .*1\.png"):
        seen.extend(picture_index(frame.image_bgr) for frame in source)
    assert seen == [2, 10]


class BoomError(Exception):
    """What a user's loop raises."""


def _leave(source: Source, by_raising: bool) -> None:
    with source:
        for frame in source:
            assert frame.image_bgr.size
            if by_raising:
                raise BoomError
            break


@pytest.mark.parametrize("by_raising", [False, True])
@pytest.mark.parametrize("kind", ["camera", "video"])
def test_no_thread_is_left_when_the_loop_ends_early(tmp_path: Path, kind: str, by_raising: bool) -> None:
    write_video(tmp_path / "clip.mp4", 60, size=(640, 480))
    with mjpeg_server() as server:
        what = server.url if kind == "camera" else tmp_path / "clip.mp4"
        _leave(open_source(what), False)  # what libraries start once and keep, and the server's own thread
        before = _threads(), _capture_threads()
        for _ in range(3):
            source = open_source(what)
            if by_raising:
                with pytest.raises(BoomError):
                    _leave(source, by_raising)
            else:
                _leave(source, by_raising)
            assert _capture_threads() == before[1] == 0
        if kind == "video":  # a camera's server, in this process too, ends a viewer's thread when it pleases
            assert _threads() == before[0]
        source.close()


def _capture_threads() -> int:
    return sum(thread.name.startswith("capture ") for thread in threading.enumerate())


def test_a_video_source_is_used_up_by_closing(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 3)
    source = open_source(tmp_path / "clip.mp4")
    source.close()
    source.close()
    with pytest.raises(ValueError, match="closed"):
        next(iter(source))


def test_arrays_become_frames() -> None:
    bgr = picture(5)
    frame = frame_from(bgr, 3, 0.1, "mine")
    assert (frame.index, frame.time_s, frame.source) == (3, 0.1, "mine")
    assert frame.image_bgr is bgr
    rgb = frame_from(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), channels="rgb")
    grey = frame_from(bgr[..., 0])
    for made in (rgb, grey):
        assert made.image_bgr.flags.c_contiguous
    coloured = bgr.copy()
    coloured[..., 0] = 7
    flipped = frame_from(np.asarray(coloured[..., ::-1]), channels="rgb")
    np.testing.assert_array_equal(flipped.image_bgr, coloured)
    np.testing.assert_array_equal(grey.image_bgr, np.repeat(bgr[..., :1], 3, axis=2))


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4), np.uint8), np.zeros(4, np.uint8)],
)
def test_other_arrays_are_refused(image: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match="image_bgr must be"):
        frame_from(image)
    with pytest.raises(ValueError, match="bgr or rgb"):
        frame_from(picture(1), channels="yuv")  # type: ignore[arg-type]
