from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.portraits import portrait
from tracker.errors import SourceError
from tracker.sources.images.read import read_image


def _targa(mode: str = "RGB", **options: object) -> bytes:
    image = Image.fromarray(np.ascontiguousarray(portrait()[..., ::-1]))
    image = image.quantize(64) if mode == "P" else image.convert(mode)
    with io.BytesIO() as file:
        image.save(file, "TGA", **options)
        return file.getvalue()


def _read(folder: Path, data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    path = folder / "a.TGA"
    path.write_bytes(data)
    return read_image(path)


@pytest.mark.parametrize("compression", [None, "tga_rle"])
@pytest.mark.parametrize("rows", [-1, 1])  # from the bottom and from the top
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_it_is_read_exactly(tmp_path: Path, mode: str, rows: int, compression: str | None) -> None:
    data = _targa(mode, compression=compression, orientation=rows)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[..., ::-1]
    np.testing.assert_array_equal(_read(tmp_path, data), expected)


def test_columns_may_run_from_the_right(tmp_path: Path) -> None:
    data = bytearray(_targa())
    data[17] |= 0x10
    np.testing.assert_array_equal(_read(tmp_path, bytes(data)), portrait()[:, ::-1])


def test_alpha_counts_only_where_the_header_says_so(tmp_path: Path) -> None:
    header = struct.pack("<BBBHHBHHHHB", 0, 0, 2, 0, 0, 0, 0, 0, 1, 1, 32)
    pixel = bytes([10, 20, 30, 0])
    assert _read(tmp_path, header + b"\x20" + pixel).tolist() == [[[10, 20, 30]]]
    assert _read(tmp_path, header + b"\x28" + pixel).tolist() == [[[255, 255, 255]]]


@pytest.mark.parametrize("compression", [None, "tga_rle"])
@pytest.mark.parametrize("kept", [0, 10, 18, 1000])
def test_a_damaged_file_is_an_error(tmp_path: Path, kept: int, compression: str | None) -> None:
    with pytest.raises(SourceError, match="not an image, or damaged"):
        _read(tmp_path, _targa(compression=compression)[:kept])


def test_a_size_above_the_limits_is_refused(tmp_path: Path) -> None:
    data = bytearray(_targa())
    data[12:16] = struct.pack("<HH", 65_000, 65_000)
    with pytest.raises(SourceError, match="65000x65000"):
        _read(tmp_path, bytes(data))
