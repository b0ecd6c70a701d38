"""Sources opened by name, frames of arrays, and threads that end when a loop does."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.cli import run_code
from tests.media import mjpeg_server, picture, picture_index, write_video
from tests.tracker.sources.test_numbered import write_images
from tracker.errors import MisuseError, SourceError, TrackerError
from tracker.sources.camera.source import CameraSource
from tracker.sources.numbered import NumberedImageSource
from tracker.sources.opening import PictureSource, Source, open_film, open_source
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


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("", "not empty"),
        ("  ", "not empty"),
        ("a\0b", "not empty"),
        (None, "got NoneType"),
        (True, "got bool"),
        (1.5, "got float"),
        (b"a.mp4", "got bytes"),
        (picture(1), "got ndarray: an array goes to frame_from"),
        (-1, "numbered from 0, got -1"),
        ("x" * 5000, "xxx.*xxx: File name too long"),
        ("x" * 5000 + "*", "File name too long|no images match"),
        (5000 * "x" + "%d.png", "File name too long"),
    ],
)
def test_a_name_that_cannot_be_one_is_an_error_of_one_short_line(what: Any, words: str) -> None:
    with pytest.raises(TrackerError, match=words) as caught:
        open_source(what)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["clip.mp4", "photos/%d.png"])
def test_a_film_is_read_once(media: Path, name: str) -> None:
    with open_source(media / name) as source:
        with pytest.raises(SourceError) if "%" in name else nullcontext():  # numbers are missing
            assert list(source)
        with pytest.raises(MisuseError, match=r"was read already, to its end: open it again"):
            iter(source)
    with open_source(media / name) as source:
        next(iter(source))
        with pytest.raises(MisuseError, match=r"was read already, in part"):
            list(source)


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_a_frame_after_closing_is_an_error_and_no_crash(media: Path, taken: int) -> None:
    """In a process of its own: libav would end it."""
    done = run_code(
        "from tracker import MisuseError, open_source\n"
        "source = open_source('clip.mp4')\n"
        "frames = iter(source)\n"
        f"taken = [next(frames) for _ in range({taken})]\n"
        "source.close()\n"
        "try:\n"
        "    next(frames)\n"
        "except MisuseError as error:\n"
        "    print(error)\n",
        cwd=media,
    )
    assert (done.exit_code, done.stdout) == (0, "clip.mp4 was closed: open it again\n"), done.stderr


def test_closing_waits_for_the_picture_that_another_thread_decodes(media: Path) -> None:
    for _ in range(20):
        source = open_source(media / "clip.mp4")
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(lambda frames: [frame.index for frame in frames], source)
            source.close()
            with suppress(MisuseError):
                assert reading.result() == list(range(12))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_a_pipe_is_refused_as_a_film_at_once(tmp_path: Path) -> None:
    """It would be opened a second time, and wait for ever."""
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(SourceError, match="is a pipe, and a video is read more than once"):
        open_source(tmp_path / "pipe.mp4")


def test_one_picture_that_cannot_be_read_is_told_without_others(tmp_path: Path) -> None:
    (tmp_path / "base.jpg").write_bytes(b"no picture")
    with open_source(tmp_path / "base.jpg") as source, pytest.raises(SourceError) as told:
        list(source)
    assert "others" not in str(told.value)
    assert "base.jpg" in str(told.value)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a device of Linux")
def test_a_device_that_is_no_camera_is_told_with_what_a_program_can_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tracker.sources.camera.source.list_cameras", lambda: [])
    with pytest.raises(SourceError, match=r"/dev/zero.*take a stream's URL or a film"):
        open_source("/dev/zero")
