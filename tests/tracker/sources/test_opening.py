"""Sources opened by name, frames of arrays, and threads that end when a loop does."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.media import mjpeg_server, picture, picture_index, write_video
from tests.tracker.sources.test_numbered import write_images
from tracker.errors import SourceError
from tracker.sources.camera.source import CameraSource
from tracker.sources.numbered import NumberedImageSource
from tracker.sources.opening import PictureSource, Source, frame_from, open_film, open_source
from tracker.sources.video.source import VideoSource


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A folder with three photos and a video."""
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
def test_the_name_decides_the_kind_of_source(media: Path, name: str, kind: type, pictures: list[int]) -> None:
    for what in (media / name, str(media / name)):
        with open_source(what) as source:
            assert isinstance(source, kind)
            assert [picture_index(frame.image_bgr) for frame in source] == pictures


def test_a_url_is_a_camera() -> None:
    with mjpeg_server() as server, open_source(server.url) as source:
        assert isinstance(source, CameraSource)
        assert next(iter(source)).image_bgr.shape == (48, 64, 3)


def test_a_pattern_is_numbered_images_unless_a_file_has_that_name(tmp_path: Path) -> None:
    path = write_images(tmp_path, [1, 2])
    with open_film(path) as film, open_source(path) as source:
        assert isinstance(film, NumberedImageSource)
        assert isinstance(source, NumberedImageSource)
    path.write_bytes(b"")
    with pytest.raises(SourceError, match="is empty"):
        open_film(path)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (77, "camera 77"),
        ("77", "camera 77"),
        ("/dev/video250", "/dev/video250"),
        ("gone.mp4", "gone.mp4"),
        ("gone.jpg", "no images match gone.jpg"),
        ("gone/*.jpg", r"no images match gone/\*\.jpg"),
    ],
)
def test_a_missing_source_is_named_in_the_error(
    tmp_path: Path, what: int | str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=message):
        open_source(what)


def test_brackets_in_the_name_of_an_existing_file_are_no_pattern(media: Path) -> None:
    (media / "clip.mp4").rename(media / "clip [1080p].mp4")
    with open_source(media / "clip [1080p].mp4") as source:
        assert len(list(source)) == 12


def test_unreadable_images_are_an_error_after_the_last_frame(media: Path) -> None:
    (media / "photos" / "1.png").write_bytes(b"no")
    seen: list[int] = []
    with open_source(media / "photos") as source, pytest.raises(SourceError, match=r"1 image could .*1\.png"):
        seen.extend(picture_index(frame.image_bgr) for frame in source)
    assert seen == [2, 10]


def _count_threads() -> int:
    """Threads of this process, those of native libraries included where the system lists them."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


def _count_capture_threads() -> int:
    return sum(thread.name.startswith("capture ") for thread in threading.enumerate())


class BoomError(Exception):
    """Error of a user's loop."""


def _leave_after_one_frame(source: Source, by_raising: bool) -> None:
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
        # Libraries start some threads once and keep them, and the server runs in this process.
        _leave_after_one_frame(open_source(what), False)
        before = _count_threads()
        for _ in range(3):
            source = open_source(what)
            if by_raising:
                with pytest.raises(BoomError):
                    _leave_after_one_frame(source, by_raising)
            else:
                _leave_after_one_frame(source, by_raising)
            assert _count_capture_threads() == 0
        if kind == "video":  # the server of a camera ends a viewer's thread at any time
            assert _count_threads() == before
        source.close()


def test_a_closed_video_source_cannot_be_iterated(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 3)
    source = open_source(tmp_path / "clip.mp4")
    source.close()
    source.close()
    with pytest.raises(ValueError, match="closed"):
        next(iter(source))


def test_a_bgr_array_becomes_a_frame_without_a_copy() -> None:
    image = picture(5)
    frame = frame_from(image, 3, 0.1, "mine")
    assert (frame.index, frame.time_s, frame.source) == (3, 0.1, "mine")
    assert frame.image_bgr is image


def test_grey_and_rgb_arrays_become_contiguous_bgr() -> None:
    bgr = picture(5)
    bgr[..., 0] = 7
    rgb = frame_from(np.asarray(bgr[..., ::-1]), channels="rgb")
    grey = frame_from(bgr[..., 1])
    np.testing.assert_array_equal(rgb.image_bgr, bgr)
    np.testing.assert_array_equal(grey.image_bgr, np.repeat(bgr[..., 1:2], 3, axis=2))
    assert rgb.image_bgr.flags.c_contiguous
    assert grey.image_bgr.flags.c_contiguous


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4), np.uint8), np.zeros(4, np.uint8)],
)
def test_other_shapes_and_types_are_refused(image: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="image_bgr must be"):
        frame_from(image)


def test_an_unknown_channel_order_is_refused() -> None:
    with pytest.raises(ValueError, match="bgr or rgb"):
        frame_from(picture(1), channels="yuv")  # type: ignore[arg-type]
