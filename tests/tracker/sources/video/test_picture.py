"""Colours of films, against the original that they were made of."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation

from tests.portraits import BT601, BT709, BT2020, as_hdr, portrait, write_film, ycbcr_frame
from tracker.sources.video.picture import PictureConverter
from tracker.sources.video.source import VideoSource
from tracker.types import ImageArray

CODEC_LOSS = 1.5  # mean difference in grey levels
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def _colours(width: int, height: int) -> ImageArray:
    """Return saturated patches of 16 pixels, where two matrices differ most."""
    corners = np.array([[b, g, r] for b in (20, 220) for g in (20, 220) for r in (20, 220)], np.uint8)
    y, x = np.mgrid[:height, :width] // 16
    return np.asarray(corners[(3 * y + x) % 8], np.uint8)


def _read(path: Path) -> ImageArray:
    with VideoSource(path) as source:
        return next(iter(source)).image_bgr


def _difference(image: ImageArray, expected: ImageArray) -> float:
    assert image.shape == expected.shape
    return float(np.abs(image.astype(int) - expected).mean())


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ((640, 480), BT601),
        ((1024, 576), BT601),
        ((1280, 720), BT709),
        ((1040, 480), BT709),
        ((96, 720), BT709),
    ],
)
def test_an_untagged_film_has_the_usual_matrix_of_its_size(
    tmp_path: Path, size: tuple[int, int], matrix: int
) -> None:
    path = write_film(tmp_path / "a.mp4", [_colours(*size)], matrix=matrix)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).colorspace == 2
    assert _difference(_read(path), _colours(*size)) < CODEC_LOSS


@pytest.mark.parametrize(("matrix", "tag"), [(BT601, 6), (BT601, 5), (BT709, 1)])
@pytest.mark.parametrize("size", [(96, 64), (1280, 720)])
def test_a_tag_overrules_the_size(tmp_path: Path, size: tuple[int, int], matrix: int, tag: int) -> None:
    path = write_film(tmp_path / "a.mkv", [_colours(*size)], matrix=matrix, tags={"colorspace": tag})
    assert _difference(_read(path), _colours(*size)) < CODEC_LOSS


@pytest.mark.parametrize(("transfer", "tag"), [("pq", 16), ("hlg", 18), ("sdr", 14)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_hdr_and_bt2020_come_out_as_the_portrait(
    tmp_path: Path, suffix: str, transfer: str, tag: int
) -> None:
    tags = {"colorspace": 9, "color_trc": tag, "color_primaries": 9, "color_range": 1}
    hdr = as_hdr(portrait(), transfer)
    path = write_film(tmp_path / f"a{suffix}", [hdr] * 3, "libx265", "yuv444p10le", BT2020, tags)
    plain = portrait().max(axis=2) <= 232  # above, tone mapping compresses
    error = _read(path)[plain].astype(float) - portrait()[plain]
    assert np.abs(error).mean() < 2 * CODEC_LOSS  # a step of HDR is more than one of eight bits
    assert np.abs(error.mean(axis=0)).max() < 0.5


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [BT601, BT709, BT2020])
@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv444p10le"])
def test_conversion_rounds_to_the_nearest_level(pix_fmt: str, matrix: int, full: bool) -> None:
    """YCbCr computed from its definition must give the original back, without a bias."""
    frame = ycbcr_frame(portrait(), pix_fmt, matrix, full)
    frame.colorspace, frame.color_range = matrix, 2 if full else 1
    error = PictureConverter().upright_picture(frame).astype(float) - portrait()
    assert np.abs(error).max() <= 2  # rounding of YCbCr
    # libswscale takes the white of 10 bits over the full range to be 1020.
    is_off = full and pix_fmt == "yuv444p10le"
    assert np.abs(error.mean(axis=(0, 1))).max() < (0.5 if is_off else 0.1)


@pytest.mark.parametrize(
    "pix_fmt", ["rgb24", "bgr0", "gbrp", "gbrp10le", "rgba", "yuv422p", "nv12", "p010le", "yuva420p"]
)
def test_other_pixel_formats_come_out_without_a_bias(pix_fmt: str) -> None:
    frame = VideoFrame.from_ndarray(portrait(), format="bgr24")
    frame = frame.reformat(format=pix_fmt, dst_colorspace=Colorspace.ITU709, interpolation=_EXACT)
    error = PictureConverter().upright_picture(frame).astype(float) - portrait()
    assert np.abs(error.mean(axis=(0, 1))).max() < 0.15
    assert np.abs(error).mean() < (0.1 if "b" in pix_fmt else 2)  # the others halve the chroma


def test_a_converter_takes_frames_of_any_kind_in_turn() -> None:
    """It keeps what libswscale prepared, which must be prepared anew where a film changes."""
    small = np.ascontiguousarray(portrait()[:100, :60])
    frames = [ycbcr_frame(image, matrix=matrix) for image in (portrait(), small) for matrix in (BT601, BT709)]
    for frame, matrix in zip(frames, (BT601, BT709) * 2, strict=True):
        frame.colorspace = matrix
    frames.append(VideoFrame.from_ndarray(portrait(), format="bgr24").reformat(format="rgba"))
    frames.append(ycbcr_frame(as_hdr(portrait(), "pq"), "yuv444p10le", BT2020))
    frames[-1].colorspace, frames[-1].color_trc, frames[-1].color_primaries = BT2020, 16, 9
    converter = PictureConverter()
    for frame in [*frames, *reversed(frames)]:
        alone = PictureConverter().upright_picture(frame)
        np.testing.assert_array_equal(converter.upright_picture(frame), alone)
        converter.bt709_frame(portrait(), "yuv420p")
