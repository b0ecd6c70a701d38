from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media import png_chunk, png_with_chunk, with_hidden_frame
from tracker.sources.images.header import Size, stated_size
from tracker.sources.suffixes import IMAGE_SUFFIXES as SUFFIXES

_WRITABLE = sorted(s for s in SUFFIXES if cv2.haveImageWriter(f"a{s}"))
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _encode(suffix: str, size: Size, channels: int = 3, quality: int | None = None) -> bytes:
    image = np.random.default_rng(0).integers(0, 256, (*size[::-1], channels), np.uint8)
    options = [] if quality is None else [cv2.IMWRITE_WEBP_QUALITY, quality]
    written, data = cv2.imencode(suffix, image, options)
    if not written:
        pytest.skip(f"this OpenCV writes no {suffix}")
    return data.tobytes()


def _png_header(width: int, height: int) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))


@pytest.mark.parametrize("suffix", _WRITABLE)
@pytest.mark.parametrize("size", [(40, 20), (3, 301), (1, 1)])
def test_the_stated_size_is_that_of_the_image(suffix: str, size: Size) -> None:
    assert stated_size(_encode(suffix, size, channels=1 if suffix in (".pbm", ".pgm") else 3)) == size


@pytest.mark.parametrize("quality", [80, 101])  # lossy and lossless
def test_a_webp_with_alpha(quality: int) -> None:
    assert stated_size(_encode(".webp", (40, 20), channels=4, quality=quality)) == (40, 20)


def test_a_big_endian_tiff() -> None:
    entries = struct.pack(">HHHIHHHHII", 2, 256, 3, 1, 40, 0, 257, 4, 1, 20)
    assert stated_size(b"MM\0*" + struct.pack(">I", 8) + entries) == (40, 20)


@pytest.mark.parametrize("width", [9_400, 14_000, 60_000])
def test_sizes_beyond_the_limits_of_image_libraries_are_read(width: int) -> None:
    assert stated_size(_PNG_SIGNATURE + _png_header(width, width)) == (width, width)


@pytest.mark.parametrize("is_first", [True, False])
def test_the_largest_frame_header_of_a_jpeg_counts(is_first: bool) -> None:
    data = _encode(".jpg", (8, 8))
    at = data.index(b"\xff\xc0")
    end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    large = data[at : at + 5] + struct.pack(">HH", 50_000, 60_000) + data[at + 9 : end]
    place = at if is_first else end
    assert stated_size(data[:place] + large + data[place:]) == (60_000, 50_000)


@pytest.mark.parametrize("marker", [b"\xff\x00", b"\xff\x01", b"\xff\x02", b"\xff\xd0", b"\xff\xd7"])
def test_markers_without_a_length_hide_no_frame_header(marker: bytes) -> None:
    hidden = with_hidden_frame(_encode(".jpg", (300, 200)), marker)
    assert stated_size(hidden) == (300, 200)


def test_the_first_header_of_a_png_counts() -> None:
    assert stated_size(_PNG_SIGNATURE + _png_header(60_000, 50_000) + _png_header(8, 8)) == (60_000, 50_000)


def test_the_larger_of_canvas_and_image_of_a_webp_counts() -> None:
    image = _encode(".webp", (40, 20), quality=101)[12:]
    canvas = b"VP8X" + struct.pack("<I4x", 10) + (15_999).to_bytes(3, "little") + (0).to_bytes(3, "little")
    chunks = b"WEBP" + canvas + image
    assert stated_size(b"RIFF" + struct.pack("<I", len(chunks)) + chunks) == (16_000, 20)


def test_the_larger_of_box_and_codestream_of_a_jpeg_2000_counts() -> None:
    box = b"\0\0\0\x0cjP  \r\n\x87\n" + b"ihdr" + struct.pack(">II", 20, 40)
    codestream = b"\xff\x4f\xff\x51" + struct.pack(">HH4I", 41, 0, 300, 30, 0, 10)
    assert stated_size(box) == (40, 20)
    assert stated_size(codestream) == (300, 20)
    assert stated_size(box + codestream) == (300, 20)


def test_the_largest_extent_of_an_avif_counts() -> None:
    extents = [
        b"ispe" + struct.pack(">III", 0, width, height) for width, height in ((40, 20), (9, 5000), (7, 7))
    ]
    assert stated_size(b"\0\0\0\x1cftypavif" + b"".join(extents)) == (40, 5000)


def test_the_screen_of_a_gif_counts_not_its_frames() -> None:
    data = _encode(".gif", (40, 20))
    at = data.index(b"\x2c", 13)
    assert stated_size(data[: at + 5] + struct.pack("<HH", 60_000, 60_000) + data[at + 9 :]) == (40, 20)


@pytest.mark.parametrize(
    ("kind", "payload"), [(b"iCCP", b"profile\0\0broken"), (b"gAMA", b"1"), (b"acTL", b"12"), (b"tRNS", b"")]
)
def test_malformed_metadata_of_a_png_does_not_matter(kind: bytes, payload: bytes) -> None:
    assert stated_size(png_with_chunk(_encode(".png", (40, 20)), kind, payload)) == (40, 20)


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"RIFF", b"\xff\xd8\xff", b"BM", b"II*\0", b"P6\n40", b"GIF89a"]
)
def test_other_files_and_cut_headers_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut off|no size|not an image"):
        stated_size(data)


def _tiff(*entries: tuple[int, int, int]) -> bytes:
    """Return the head of a TIFF with entries of tag, type and value."""
    packed = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed


def test_the_larger_of_picture_and_tile_of_a_tiff_counts() -> None:
    picture = (256, 4, 16), (257, 4, 16)
    assert stated_size(_tiff(*picture, (322, 4, 40), (323, 3, 20))) == (40, 20)
    assert stated_size(_tiff(*picture, (322, 4, 8), (323, 3, 8))) == (16, 16)


def test_the_largest_of_sizes_that_a_tiff_repeats_counts() -> None:
    """Libtiff takes the first."""
    assert stated_size(_tiff((256, 4, 40), (256, 3, 16), (257, 3, 16), (257, 4, 20))) == (40, 20)


@pytest.mark.parametrize(
    ("begin", "rest"),
    [
        (b"BM\0\0GIF89a", b"\0\0\0\0" + struct.pack("<Iii", 40, 40, 20)),
        (b"BM\0\0\xff\xd8\xff", bytes(7) + struct.pack("<Iii", 40, 40, 20)),
        (b"P5 #GIF89a", b"\n40 20\n255\n"),
        (b"P5 #jP  ", b"\n40 20\n255\n"),
        (b"P5 #ftyp", b"\n40 20\n255\n"),
        (b"\xff\xd8\xff\xe4" + _PNG_SIGNATURE, bytes(0x8950 - 8) + _encode(".jpg", (40, 20))[2:]),
    ],
)
def test_the_signature_of_another_format_further_on_does_not_matter(begin: bytes, rest: bytes) -> None:
    assert stated_size(begin + rest) == (40, 20)


def test_a_comment_in_a_pgm_ends_at_a_carriage_return_too() -> None:
    assert stated_size(b"P5 #\r40 20 255\n1 1 255\n") == (40, 20)


@pytest.mark.parametrize(
    "data",
    [
        _PNG_SIGNATURE + png_chunk(b"tEXt", struct.pack(">II", 16, 16)) + _png_header(40, 20),
        _tiff((256, 16, 40), (257, 16, 20)),  # LONG8, whose value is elsewhere
        b"P5 16#40\n20\n255\n",
        *(b"RIFF\0\0\0\0WEBP" + raw + bytes(40) for raw in (b"\x2f", b"VP8\x9d\x01\x2a")),
    ],
)
def test_headers_that_decoders_take_in_another_way_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"IHDR|type|not an image|no size"):
        stated_size(data)


_SMALL = [
    cv2.imencode(suffix, np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8))[1].tobytes()
    for suffix in (".png", ".jpg", ".tiff", ".webp", ".gif", ".bmp", ".avif")
]


@pytest.mark.parametrize(
    "data",
    [
        cv2.imencode(".jpg", np.zeros((4, 4), np.uint8))[1].tobytes()[:2] + b"\xff\xe0\0\2" * 200_000,
        b"RIFF\xff\xff\xff\1WEBP" + b"VP8X\0\0\0\0" * 200_000,
    ],
)
def test_millions_of_empty_parts_are_not_walked_through(data: bytes) -> None:
    with pytest.raises(ValueError, match="too many"):
        stated_size(data)


@given(st.binary(max_size=64), st.sampled_from(_SMALL), st.integers(0, 64))
def test_damaged_headers_raise_value_error_only(junk: bytes, image: bytes, cut: int) -> None:
    for data in (junk, image[:cut], image[:cut] + junk, image[:cut] + junk + image[cut + len(junk) :]):
        try:
            width, height = stated_size(data)
        except ValueError:
            continue
        assert width >= 0
        assert height >= 0
