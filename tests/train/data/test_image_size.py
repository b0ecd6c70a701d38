from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.data.image_size import image_size
from train.errors import DataError

JPEG_KINDS = {
    "baseline": [],
    "progressive": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
    "restarts": [cv2.IMWRITE_JPEG_RST_INTERVAL, 1],
    "optimised": [cv2.IMWRITE_JPEG_OPTIMIZE, 1],
}


def encoded(
    width: int, height: int, suffix: str = ".jpg", options: Sequence[int] = (), channels: int = 3
) -> bytes:
    shape = (height, width) if channels == 1 else (height, width, channels)
    ok, data = cv2.imencode(suffix, np.zeros(shape, np.uint8), list(options))
    assert ok
    return data.tobytes()


@given(
    width=st.integers(1, 700), height=st.integers(1, 700), suffix=st.sampled_from([".jpg", ".png", ".bmp"])
)
def test_the_size_matches_the_decoded_image(
    tmp_path_factory: pytest.TempPathFactory, width: int, height: int, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "image.any"
    path.write_bytes(encoded(width, height, suffix))
    assert image_size(path) == (width, height)


@pytest.mark.parametrize("kind", JPEG_KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_all_kinds_of_jpeg_are_read(tmp_path: Path, kind: str, channels: int) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(301, 97, options=JPEG_KINDS[kind], channels=channels))
    assert image_size(path) == (301, 97)


def test_previews_in_metadata_and_fill_bytes_are_skipped(tmp_path: Path) -> None:
    preview, image = encoded(16, 12), encoded(301, 97)
    segment = b"\xff\xff\xff\xe1" + (len(preview) + 2).to_bytes(2, "big") + preview
    path = tmp_path / "a.jpg"
    path.write_bytes(image[:2] + segment + image[2:])
    assert image_size(path) == (301, 97)


def test_top_down_and_os2_bmp_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    data = bytearray(encoded(30, 20, ".bmp"))
    data[22:26] = (-20).to_bytes(4, "little", signed=True)
    path.write_bytes(data)
    assert image_size(path) == (30, 20)
    path.write_bytes(b"BM" + bytes(12) + (12).to_bytes(4, "little") + b"\x1e\0\x14\0\1\0\x18\0")
    assert image_size(path) == (30, 20)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read: .*No such file"),
        (b"", "it is empty"),
        (b"GIF89", "none of JPEG, PNG, BMP"),
        (encoded(30, 20)[:30], "cannot be read: "),
        (encoded(30, 20, ".png")[:20], "cannot be read: "),
        (encoded(30, 20, ".bmp")[:20], "cannot be read: "),
        (encoded(30, 20, ".png")[:16] + bytes(8), "cannot be read: "),
        (b"\xff\xd8\xff\xd9", "its header is broken"),
        (b"\xff\xd8\xff\xda\0\4\0\0", "its header is broken"),
        (b"\xff\xd8\0\xe0", "its header is broken"),
        (b"\xff\xd8\xff\xe0\0\0", "its header is broken"),
    ],
)
def test_files_without_a_size_are_refused_by_name(
    tmp_path: Path, content: bytes | None, expected: str
) -> None:
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.jpg: the image.*{expected}") as caught:
        image_size(path)
    assert "\n" not in str(caught.value)


@given(
    start=st.sampled_from([b"", b"\xff\xd8", b"\xff\xd8\xff", b"BM", b"\x89PNG\r\n\x1a\n"]),
    rest=st.binary(max_size=80),
)
def test_any_bytes_give_a_size_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.any"
    path.write_bytes(start + rest)
    try:
        width, height = image_size(path)
    except DataError:
        return
    assert width > 0
    assert height > 0
