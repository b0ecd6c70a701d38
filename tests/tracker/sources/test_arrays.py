"""Frames of arrays, paths and PIL images: the right pixels, or an error with a remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from tests.cache import Trackers
from tests.faces import astronaut
from tests.media import jpeg_with_exif, picture
from tracker.errors import MisuseError, SourceError, TrackerError
from tracker.sources.arrays import ImageLike, as_frame, frame_from, frames_from
from tracker.sources.images.read import read_image
from tracker.types import ImageArray

BGR = astronaut()
GREY: ImageArray = np.asarray(cv2.cvtColor(BGR, cv2.COLOR_BGR2GRAY), np.uint8)
THREE_GREYS = np.repeat(GREY[..., None], 3, axis=2)
ALPHA: ImageArray = np.tile(np.linspace(0, 255, 400).round().astype(np.uint8), (400, 1))
OVER_WHITE = (BGR * (ALPHA / 255.0)[..., None] + 255.0 - ALPHA[..., None]).round()


def test_a_bgr_array_becomes_a_frame_without_a_copy() -> None:
    image = picture(5)
    frame = frame_from(image, 3, 0.1, "mine")
    assert (frame.index, frame.time_s, frame.source) == (3, 0.1, "mine")
    assert frame.image_bgr is image
    assert as_frame(frame) is frame


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (GREY, THREE_GREYS),
        (GREY[..., None], THREE_GREYS),
        (GREY.astype(np.uint16) * 257, THREE_GREYS),
        (BGR.astype(np.uint16) * 257, BGR),
        ((BGR.astype(np.uint16) * 257).astype(">u2"), BGR),
        (BGR[:, ::-1], BGR[:, ::-1]),
        (np.asfortranarray(BGR), BGR),
        (BGR[::2, ::3], BGR[::2, ::3]),
        (np.broadcast_to(GREY[..., None], BGR.shape), THREE_GREYS),
    ],
)
def test_arrays_of_clear_meaning_become_contiguous_bgr(
    image: npt.NDArray[Any], expected: npt.NDArray[Any]
) -> None:
    before = image.copy()
    frame = frame_from(image)
    np.testing.assert_array_equal(frame.image_bgr, expected)
    assert frame.image_bgr.flags.c_contiguous
    assert frame.image_bgr.dtype == np.uint8
    np.testing.assert_array_equal(image, before)


def test_sixteen_bits_are_rounded_to_the_nearest_of_eight() -> None:
    values = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
    exact = values / 257
    np.testing.assert_allclose(frame_from(values).image_bgr[..., 0], exact, rtol=0, atol=0.5)


def test_rgb_is_turned_into_bgr() -> None:
    np.testing.assert_array_equal(frame_from(BGR[..., ::-1].copy(), channels="rgb").image_bgr, BGR)
    rgba = np.dstack([BGR[..., ::-1], ALPHA])
    np.testing.assert_allclose(frame_from(rgba, channels="rgb").image_bgr, OVER_WHITE, rtol=0, atol=1)


def test_alpha_is_laid_over_white_as_in_a_file(tmp_path: Path) -> None:
    bgra = np.dstack([BGR, ALPHA])
    frame = frame_from(bgra)
    np.testing.assert_allclose(frame.image_bgr, OVER_WHITE, rtol=0, atol=1)
    cv2.imwrite(str(tmp_path / "a.png"), bgra)
    np.testing.assert_array_equal(frame.image_bgr, read_image(tmp_path / "a.png"))


@pytest.mark.parametrize(
    "image",
    [
        PIL.Image.fromarray(BGR[..., ::-1].copy()),
        PIL.Image.fromarray(np.dstack([BGR[..., ::-1], np.full((400, 400), 255, np.uint8)])),
        PIL.Image.fromarray(BGR[..., ::-1].copy()).convert("RGBX"),
    ],
)
def test_a_pil_image_knows_its_channels(image: PIL.Image.Image) -> None:
    np.testing.assert_array_equal(frame_from(image).image_bgr, BGR)
    np.testing.assert_array_equal(frame_from(image, channels="rgb").image_bgr, BGR)


def test_palettes_grey_and_sixteen_bits_of_pil() -> None:
    grey = PIL.Image.fromarray(GREY)
    for image in (grey, grey.convert("P"), PIL.Image.fromarray(GREY.astype(np.uint16) * 257)):
        np.testing.assert_array_equal(frame_from(image).image_bgr, THREE_GREYS)
    clear = grey.convert("P")
    clear.info["transparency"] = int(GREY[0, 0])
    shown = frame_from(clear).image_bgr
    np.testing.assert_array_equal(shown[GREY[0, 0] == GREY], 255)
    np.testing.assert_array_equal(shown[GREY[0, 0] != GREY], THREE_GREYS[GREY[0, 0] != GREY])


def test_a_pil_image_is_not_turned_but_a_path_is(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    path.write_bytes(jpeg_with_exif(BGR[:300], 6))
    with PIL.Image.open(path) as image:
        assert frame_from(image).image_hw == (300, 400)
    frame = frame_from(path)
    assert (frame.image_hw, frame.source) == ((400, 300), "turned.jpg")
    np.testing.assert_array_equal(frame.image_bgr, read_image(path))
    assert frame_from(str(path), source="mine").source == "mine"


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (None, "cv2.imread gives"),
        ([[1, 2], [3, 4]], "type list"),
        (b"\xff\xd8\xff", "type bytes"),
        (3, "type int"),
        (np.zeros((4, 4, 3)), "multiply by 255"),
        (np.zeros((4, 4, 3), np.float32), "multiply by 255"),
        (np.zeros((4, 4), bool), "255 * image.astype"),
        (np.zeros((4, 4, 3), np.int64), "image.astype(np.uint8)"),
        (np.zeros((4, 4, 3), np.uint32), "image.astype(np.uint8)"),
        (np.zeros((4, 4), complex), "complex128"),
        (np.array([["a"]]), "not uint8"),
        (np.array([[None]]), "object"),
        (np.zeros((5, 4, 2), np.uint8), "(H, W, 3)"),
        (np.zeros((3, 8, 9), np.uint8), "transpose(1, 2, 0)"),
        (np.zeros((1, 8, 9, 3), np.uint8), "image[0]"),
        (np.zeros(4, np.uint8), "(4,)"),
        (np.zeros((0, 4), np.uint8), "empty"),
        (np.zeros((4, 0, 3), np.uint8), "empty"),
        (np.zeros((4, 4, 4), np.uint8), "image[..., :3]"),
        (PIL.Image.new("F", (4, 4)), "mode F"),
        (PIL.Image.new("I", (4, 4)), "mode I"),
        ("", "empty path"),
    ],
)
def test_anything_else_is_refused_with_a_remedy(image: Any, words: str) -> None:
    with pytest.raises(MisuseError, match=re.escape(words)) as caught:
        frame_from(image)
    assert str(caught.value).startswith("image is")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["gone.jpg", ".", "x" * 5000, "a\0b.jpg"])
def test_a_file_that_cannot_be_read_is_a_source_error(path: str) -> None:
    with pytest.raises(SourceError, match="cannot read"):
        frame_from(path)


def test_a_damaged_pil_image_is_a_source_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(jpeg_with_exif(BGR, 1)[:2000])
    with PIL.Image.open(path) as image, pytest.raises(SourceError, match="truncated"):
        frame_from(image)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"index": 1.5}, "index is a whole number, got 1.5"),
        ({"index": "1"}, "index is a whole number"),
        ({"index": -1}, "index must be >= 0"),
        ({"time_s": "0.1"}, "time_s is a finite number of seconds"),
        ({"time_s": None}, "time_s is a number of seconds"),
        ({"time_s": float("nan")}, "time_s is a finite number"),
        ({"source": Path("a.mp4")}, "source is a name"),
        ({"channels": "yuv"}, "channels must be bgr or rgb"),
    ],
)
def test_wrong_arguments_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(TrackerError, match=re.escape(words)) as caught:
        frame_from(picture(1), **options)
    assert isinstance(caught.value, ValueError)


def test_numbers_of_numpy_become_those_of_python() -> None:
    frame = frame_from(picture(1), np.int64(3), np.float32(0.5))
    assert (type(frame.index), type(frame.time_s)) == (int, float)
    assert (frame.index, frame.time_s) == (3, 0.5)


def test_pictures_of_any_iterable_become_frames_in_time() -> None:
    images = [picture(i) for i in range(4)]
    for given in (images, iter(images), np.stack(images)):
        frames = list(frames_from(given, 25, "mine"))
        assert [(frame.index, frame.time_s, frame.source) for frame in frames] == [
            (0, 0.0, "mine"), (1, 0.04, "mine"), (2, 0.08, "mine"), (3, 0.12, "mine"),
        ]  # fmt: skip
        for frame, image in zip(frames, images, strict=True):
            np.testing.assert_array_equal(frame.image_bgr, image)
    (frame,) = frames_from([BGR[..., ::-1]], channels="rgb", pixel_aspect=2)
    np.testing.assert_array_equal(frame.image_bgr, BGR)
    assert frame.pixel_aspect == 2


def test_pictures_are_taken_only_when_they_are_asked_for() -> None:
    taken: list[int] = []

    def camera() -> Iterator[ImageArray]:
        for index in range(100):
            taken.append(index)
            yield picture(index)

    frames = frames_from(camera())
    assert taken == []
    assert [next(frames).index, next(frames).index] == [0, 1]
    assert taken == [0, 1]


@pytest.mark.parametrize(
    ("images", "fps", "words"),
    [
        ("a.mp4", 30, "images are several pictures, such as a list, got str"),
        (Path("a"), 30, "open_source"),
        (BGR, 30, "one picture goes to frame_from"),
        (3, 30, "got int"),
        ([BGR], 0, "fps must be positive and finite, got 0"),
        ([BGR], -1.0, "fps must be positive"),
        ([BGR], float("nan"), "fps must be positive"),
        ([BGR], "30", "fps must be positive"),
        ([BGR], None, "fps is a number of frames per second"),
    ],
)
def test_what_gives_no_frames_is_refused_at_once(images: Any, fps: Any, words: str) -> None:
    with pytest.raises(MisuseError, match=re.escape(words)):
        frames_from(images, fps)


def test_find_sees_the_same_face_in_every_form(trackers: Trackers, tmp_path: Path) -> None:
    tracker = trackers.opened()
    expected = tracker.find(frame_from(BGR)).faces
    assert len(expected) == 1
    cv2.imwrite(str(tmp_path / "a.png"), BGR)
    locked = BGR.copy()
    locked.flags.writeable = False
    pictures: list[ImageLike] = [
        *(BGR, locked, np.asfortranarray(BGR), BGR.astype(np.uint16) * 257),
        *(tmp_path / "a.png", str(tmp_path / "a.png"), PIL.Image.fromarray(BGR[..., ::-1].copy())),
    ]
    for image in pictures:
        assert tracker.find(image).faces == expected
    assert tracker.find(BGR[::-1]).faces[0].id == 1  # upside down, of negative strides
    with pytest.raises(MisuseError, match="image is None"):
        tracker.find(cv2.imread("gone.jpg"))  # type: ignore[arg-type]
