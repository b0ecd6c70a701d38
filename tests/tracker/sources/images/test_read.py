from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.media import exif_block, jpeg_with_exif, png_chunk, png_with_chunk, with_hidden_frame
from tracker.errors import SourceError
from tracker.sources import limits
from tracker.sources.arrays import frame_from
from tracker.sources.images import read
from tracker.sources.images.read import over_white, read_encoded, read_image


def _noise(height: int = 20, width: int = 40, channels: int = 3) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def _save(path: Path, image: npt.NDArray[Any]) -> Path:
    path.write_bytes(_encode(path.suffix, image))
    return path


def _encode(suffix: str, image: npt.NDArray[Any]) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def _opencv_colour(path: Path) -> npt.NDArray[Any] | None:
    return cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_colour_images_are_read_as_by_opencv(tmp_path: Path, suffix: str) -> None:
    path = _save(tmp_path / f"a{suffix}", _noise())
    np.testing.assert_array_equal(read_image(path), _opencv_colour(path))


def test_grey_becomes_bgr(tmp_path: Path) -> None:
    grey = _noise(channels=1)[..., 0]
    image = read_image(_save(tmp_path / "a.png", grey))
    np.testing.assert_array_equal(image, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_16_bits_are_scaled_over_their_full_range(tmp_path: Path, suffix: str) -> None:
    levels = np.arange(256, dtype=np.uint16)[None] * 257
    image = read_image(_save(tmp_path / f"a{suffix}", levels))
    np.testing.assert_array_equal(image[0, :, 0], np.arange(256))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparent_pixels_lie_over_white(tmp_path: Path, dtype: type[np.uint8 | np.uint16]) -> None:
    maximum = np.iinfo(dtype).max
    rgba: npt.NDArray[Any] = np.zeros((1, 3, 4), dtype)
    rgba[0, :, 3] = (0, maximum // 2 + 1, maximum)
    image = read_image(_save(tmp_path / "a.png", rgba))
    np.testing.assert_allclose(image[0, :, 0], [255, 127, 0], atol=1)


def test_grey_with_alpha_lies_over_white() -> None:
    grey_alpha = np.array([[[10, 255], [10, 0]]], np.uint8)
    assert over_white(grey_alpha).tolist() == [[[10, 10, 10], [255, 255, 255]]]


def test_each_color_is_rounded_over_white() -> None:
    color, alpha = np.mgrid[:256, :256]
    bgra = np.dstack([color, color, 255 - color, alpha]).astype(np.uint8)
    expected = (color * alpha + 255 * (255 - alpha) + 127) // 255
    np.testing.assert_array_equal(over_white(bgra)[..., 0], expected)
    np.testing.assert_array_equal(over_white(bgra)[..., 2], expected[::-1])


def test_a_palette_may_have_a_transparent_entry(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0),  # 2x1, 8 bits, palette
        b"PLTE": bytes([9, 9, 9, 30, 60, 90]),  # RGB
        b"tRNS": bytes([0, 255]),
        b"IDAT": zlib.compress(bytes([0, 0, 1])),  # filter 0, entries 0 and 1
        b"IEND": b"",
    }
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in chunks.items()))
    assert read_image(path).tolist() == [[[255, 255, 255], [90, 60, 30]]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_turned_upright_as_by_opencv(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "phone.jpg"
    path.write_bytes(jpeg_with_exif(_noise(), orientation))
    image = read_image(path)
    np.testing.assert_array_equal(image, _opencv_colour(path))
    assert image.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_png_with_alpha_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    rgba = _noise(channels=4)
    rgba[..., 3] = 255
    path = tmp_path / "a.png"
    path.write_bytes(png_with_chunk(_encode(".png", rgba), b"eXIf", exif_block(orientation)))
    np.testing.assert_array_equal(read_image(path), _opencv_colour(path))


@pytest.mark.parametrize("block", [b"II*\0", exif_block(9), exif_block(0), exif_block(6)[:-9], b"junk" * 8])
def test_an_invalid_exif_block_is_ignored(tmp_path: Path, block: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_with_chunk(_encode(".png", _noise()), b"eXIf", block))
    np.testing.assert_array_equal(read_image(path), _noise())


@pytest.mark.parametrize("payload", [b"profile\0\0broken", b"x\0\0" + zlib.compress(bytes(3_000_000))])
def test_unusual_colour_profiles_are_ignored_in_silence(
    tmp_path: Path, payload: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_with_chunk(_encode(".png", _noise()), b"iCCP", payload))
    np.testing.assert_array_equal(read_image(path), _noise())
    assert capfd.readouterr().err == ""


def test_a_bmp_with_unusual_bit_fields_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    header = struct.pack("<IiiHHIIiiII", 40, 6, 4, 1, 32, 3, 0, 0, 0, 0, 0)
    masks = struct.pack("<III", 0x7C00, 0x3E0, 0x1F)
    data = header + masks + bytes(4 * 6 * 4)
    path.write_bytes(b"BM" + struct.pack("<IHHI", 14 + len(data), 0, 0, 14 + len(header + masks)) + data)
    assert read_image(path).shape == (4, 6, 3)


def test_the_smallest_image(tmp_path: Path) -> None:
    assert read_image(_save(tmp_path / "dot.png", np.full((1, 1), 7, np.uint8))).tolist() == [[[7, 7, 7]]]


def test_a_large_photo(tmp_path: Path) -> None:
    path = _save(tmp_path / "large.jpg", np.zeros((6000, 8000, 3), np.uint8))
    assert read_image(path).shape == (6000, 8000, 3)


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]


_PNG, _JPEG = _encode(".png", _noise(200, 200)), _encode(".jpg", _noise(200, 200))
_DAMAGED = "not an image, or damaged"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.jpg", b"", _DAMAGED),
        ("text.png", b"hello", _DAMAGED),
        ("cut.png", _PNG[: len(_PNG) // 2], _DAMAGED),
        ("cut.jpg", _JPEG[: len(_JPEG) // 2], _DAMAGED),
        ("flipped.png", _flipped(_PNG), _DAMAGED),
        ("float.tiff", _encode(".tiff", np.zeros((4, 4, 3), np.float32)), "pixels are float32; save it with"),
    ],
)
def test_a_bad_image_is_an_error_of_one_line(
    tmp_path: Path, name: str, data: bytes, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SourceError, match=message) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        read_image(tmp_path / "missing.jpg")
    with pytest.raises(SourceError, match="Is a directory"):
        read_image(tmp_path)


def test_a_decompression_bomb_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    monkeypatch.setattr(cv2, "imdecodeWithMetadata", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(SourceError, match="60000x60000: more than 200 megapixels"):
        read_image(path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(limits.MAX_IMAGE_BYTES + 1)  # a sparse file
    with pytest.raises(SourceError, match="larger than 1 GiB"):
        read_image(path)


def test_no_image_file_changes_the_shape_of_pixels(tmp_path: Path) -> None:
    """Neither densities of JPEG (JFIF 1.02) nor ``pHYs`` of PNG: browsers and viewers ignore both."""
    image = np.full((20, 30, 3), 90, np.uint8)
    jpeg = bytearray(cv2.imencode(".jpg", image)[1].tobytes())
    at = jpeg.index(b"JFIF") + 7
    jpeg[at : at + 5] = struct.pack(">BHH", 0, 2, 1)
    png = png_with_chunk(cv2.imencode(".png", image)[1].tobytes(), b"pHYs", struct.pack(">IIB", 2, 1, 0))
    for name, data in (("a.jpg", bytes(jpeg)), ("a.png", png)):
        (tmp_path / name).write_bytes(data)
        frame = frame_from(tmp_path / name)
        assert (frame.image_hw, frame.pixel_aspect) == ((20, 30), 1.0)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tiff"])
def test_a_file_in_memory_is_read_like_one_on_the_disk(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3))
    data = path.read_bytes()
    assert np.array_equal(read_encoded(data), read_image(path))
    with pytest.raises(SourceError, match=r"^cannot read the picture: not an image, or damaged$"):
        read_encoded(data[:10])


def test_a_file_in_memory_that_states_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = cv2.imencode(".png", np.zeros((20, 20, 3), np.uint8))[1].tobytes()
    monkeypatch.setattr(limits, "MAX_PIXELS", 399)
    with pytest.raises(SourceError, match="the picture claims pictures of 20x20"):
        read_encoded(data)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_file_with_more_pixels_than_it_states_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(_encode(suffix, _noise(10, 20)))
    monkeypatch.setattr(read, "stated_size", lambda _: (20, 9))
    with pytest.raises(SourceError, match=r"a\.\w+: it has more pixels than its header says; save it anew$"):
        read_image(path)


@pytest.mark.parametrize("marker", [b"\xff\x01", b"\xff\xd0"])
def test_a_marker_without_a_length_does_no_harm(marker: bytes) -> None:
    data = _encode(".jpg", _noise())
    assert np.array_equal(read_encoded(with_hidden_frame(data, marker)), read_encoded(data))
