from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.media import exif_block, jpeg_with_exif, png_chunk, png_with_chunk
from tracker.sources.images.read import read_image


def _noise(height: int = 20, width: int = 40, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def _save(path: Path, image: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_colour_images_are_read_as_opencv_does(tmp_path: Path, suffix: str) -> None:
    path = _save(tmp_path / f"a{suffix}", _noise())
    expected = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(read_image(path), expected)


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
def test_transparency_lies_over_white(tmp_path: Path, dtype: type) -> None:
    full = np.iinfo(dtype).max
    rgba = np.zeros((1, 3, 4), dtype)
    rgba[0, :, 3] = (0, full // 2 + 1, full)
    image = read_image(_save(tmp_path / "a.png", rgba))
    np.testing.assert_allclose(image[0, :, 0], [255, 127, 0], atol=1)


def test_palette_with_a_transparent_entry(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    grey = cv2.imencode(".png", np.zeros((1, 2), np.uint8))[1].tobytes()
    header = struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0)  # 2x1, 8 bits, palette
    chunks = {
        b"IHDR": header,
        b"PLTE": bytes([9, 9, 9, 30, 60, 90]),  # RGB
        b"tRNS": bytes([0, 255]),
        b"IDAT": zlib.compress(bytes([0, 0, 1])),  # filter 0, entries 0 and 1
        b"IEND": b"",
    }
    path.write_bytes(grey[:8] + b"".join(png_chunk(kind, payload) for kind, payload in chunks.items()))
    assert read_image(path).tolist() == [[[255, 255, 255], [90, 60, 30]]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_a_jpeg_as_opencv_does(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "phone.jpg"
    path.write_bytes(jpeg_with_exif(_noise(), orientation))
    expected = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    image = read_image(path)
    np.testing.assert_array_equal(image, expected)
    assert image.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_a_transparent_png_too(tmp_path: Path, orientation: int) -> None:
    rgba = _noise(channels=4)
    rgba[..., 3] = 255
    path = tmp_path / "a.png"
    plain = cv2.imencode(".png", rgba)[1].tobytes()
    path.write_bytes(png_with_chunk(plain, b"eXIf", exif_block(orientation)))
    expected = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(read_image(path), expected)


@pytest.mark.parametrize("block", [b"II*\0", exif_block(9), exif_block(0), exif_block(6)[:-9], b"junk" * 8])
def test_a_broken_exif_block_turns_nothing(tmp_path: Path, block: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_with_chunk(cv2.imencode(".png", _noise())[1].tobytes(), b"eXIf", block))
    np.testing.assert_array_equal(read_image(path), _noise())


def test_smallest_and_large(tmp_path: Path) -> None:
    assert read_image(_save(tmp_path / "dot.png", np.full((1, 1), 7, np.uint8))).tolist() == [[[7, 7, 7]]]
    large = _save(tmp_path / "large.jpg", np.zeros((6000, 8000, 3), np.uint8))
    assert read_image(large).shape == (6000, 8000, 3)


def test_a_harmless_odd_chunk_makes_no_noise(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.png"
    png = cv2.imencode(".png", _noise())[1].tobytes()
    path.write_bytes(png_with_chunk(png, b"iCCP", b"profile\0\0broken"))
    np.testing.assert_array_equal(read_image(path), _noise())
    assert capfd.readouterr().err == ""
