from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media import png_chunk
from tracker.errors import SourceError
from tracker.sources import limits
from tracker.sources.images.header import stated_size
from tracker.sources.images.read import read_image
from tracker.sources.images.source import SUFFIXES

_SUFFIXES = sorted(s for s in SUFFIXES if cv2.haveImageWriter(f"a{s}"))


@pytest.mark.parametrize("suffix", _SUFFIXES)
@pytest.mark.parametrize("size", [(40, 20), (3, 301), (1, 1)])
def test_the_stated_size_is_the_true_one(suffix: str, size: tuple[int, int]) -> None:
    channels = 1 if suffix in (".pbm", ".pgm") else 3
    image = np.random.default_rng(0).integers(0, 256, (*size[::-1], channels), np.uint8)
    done, data = cv2.imencode(suffix, image)
    if not done:
        pytest.skip(f"this OpenCV writes no {suffix}")
    assert stated_size(data.tobytes()) == size


def test_jpeg_2000_states_its_size_twice() -> None:
    box = b"\0\0\0\x0cjP  \r\n\x87\n" + b"ihdr" + struct.pack(">II", 20, 40)
    codestream = b"\xff\x4f\xff\x51" + struct.pack(">HH4I", 41, 0, 300, 30, 0, 10)
    assert stated_size(box) == (40, 20)
    assert stated_size(codestream) == (300, 20)
    assert stated_size(box + codestream) == (300, 20)


def test_a_webp_with_alpha_and_a_big_endian_tiff() -> None:
    rgba = np.random.default_rng(0).integers(0, 256, (20, 40, 4), np.uint8)
    assert stated_size(cv2.imencode(".webp", rgba)[1].tobytes()) == (40, 20)
    assert stated_size(cv2.imencode(".webp", rgba, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()) == (40, 20)
    entries = struct.pack(">HHHIHHHHII", 2, 256, 3, 1, 40, 0, 257, 4, 1, 20)
    assert stated_size(b"MM\0*" + struct.pack(">I", 8) + entries) == (40, 20)


_SMALL = [
    cv2.imencode(suffix, np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8))[1].tobytes()
    for suffix in (".png", ".jpg", ".tiff", ".webp", ".gif", ".bmp", ".avif")
]


@given(st.binary(max_size=64), st.sampled_from(_SMALL), st.integers(0, 64))
def test_damaged_headers_raise_value_error_and_nothing_else(junk: bytes, image: bytes, cut: int) -> None:
    for data in (junk, image[:cut], image[:cut] + junk, image[:cut] + junk + image[cut + len(junk) :]):
        try:
            width, height = stated_size(data)
        except ValueError:
            continue
        assert width >= 0
        assert height >= 0


def _bomb(folder: Path) -> Path:
    """A PNG of 60000 x 60000 pixels in some kilobytes."""
    path = folder / "bomb.png"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def test_a_bomb_is_not_unfolded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imdecodeWithMetadata", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(SourceError, match="60000x60000: more than 200 megapixels"):
        read_image(_bomb(tmp_path))


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(limits.MAX_IMAGE_BYTES + 1)  # it takes no room
    with pytest.raises(SourceError, match="larger than 1 GiB"):
        read_image(path)
