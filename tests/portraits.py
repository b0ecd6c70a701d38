"""The portrait stored in all eight orientations, and films of it, for tests of what is read as upright."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.faces import astronaut
from tracker.types import FloatArray, ImageArray

MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}
"""``(a, b, c, d)`` by EXIF orientation: the stored pixel (p, q) is shown at (a p + c q, b p + d q), shifted
to start at 0 (ISO/IEC 14496-12, 8.3.2). EXIF 2.3 defines its values by where row 0 and column 0 are shown."""

UNSPECIFIED, BT601, BT709, BT2020 = 2, 6, 1, 9
"""Matrices of YCbCr by their numbers in ITU-T H.273."""

_WEIGHTS = {BT601: (0.299, 0.114), BT709: (0.2126, 0.0722), BT2020: (0.2627, 0.0593)}


def portrait() -> ImageArray:
    """Return the upright portrait, ``(256, 192, 3)`` BGR: one face in the upper half."""
    return np.ascontiguousarray(astronaut()[40:296, 90:282])


def shown(stored: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Return what a viewer shows of ``stored``, pixel by pixel from the definition of the orientation."""
    a, b, c, d = MATRICES[orientation]
    height, width = stored.shape[:2]
    q, p = np.mgrid[:height, :width]
    x, y = a * p + c * q, b * p + d * q
    x, y = x - x.min(), y - y.min()
    image = np.empty((y.max() + 1, x.max() + 1, *stored.shape[2:]), np.uint8)
    image[y, x] = stored
    return image


def stored(upright: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Return the picture whose display in ``orientation`` is ``upright``."""
    inverse = {6: 8, 8: 6}.get(orientation, orientation)  # all others are their own inverse
    return np.ascontiguousarray(shown(upright, inverse))


def ycbcr_frame(
    image_bgr: npt.NDArray[Any], pix_fmt: str = "yuv444p", matrix: int = BT601, full: bool = False
) -> VideoFrame:
    """Return the picture, uint8 or uint16 over its full range, as YCbCr computed from H.273, 8.3.

    ``pix_fmt`` is yuv444p or yuv444p10le; ``full`` is the range.
    """
    kr, kb = _WEIGHTS[matrix]
    blue, green, red = np.moveaxis(image_bgr / float(np.iinfo(image_bgr.dtype).max), 2, 0)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = np.stack([(blue - luma) / (1 - kb) / 2, (red - luma) / (1 - kr) / 2])
    step, top = (1, 255) if pix_fmt == "yuv444p" else (4, 1023)
    y = top * luma if full else step * (16 + 219 * luma)
    c = 128 * step + (top if full else 224 * step) * chroma
    frame = VideoFrame(image_bgr.shape[1], image_bgr.shape[0], pix_fmt)
    for plane, values in zip(frame.planes, (y, *c), strict=True):
        dtype = np.uint8 if step == 1 else np.uint16
        rows = np.zeros((plane.height, plane.line_size // np.dtype(dtype).itemsize), dtype)
        rows[:, : plane.width] = np.clip(np.rint(values), 0, top)
        plane.update(rows.tobytes())
    return frame


def write_film(
    path: Path,
    pictures: Sequence[npt.NDArray[Any]],
    codec: str = "libx264",
    pix_fmt: str = "yuv444p",
    matrix: int = BT601,
    tags: Mapping[str, int] | None = None,
) -> Path:
    """Write ``pictures`` as a film of almost lossless frames at 25 fps.

    ``pictures``, ``pix_fmt`` and ``matrix`` are those of :func:`ycbcr_frame`. Only ``tags``, attributes of
    the codec with numbers of H.273 (``colorspace``, ``color_trc``, ...), get into the file.
    """
    height, width = pictures[0].shape[:2]
    options = {"crf": "1", "preset": "ultrafast"}
    if codec == "libx265":
        options["x265-params"] = "log-level=0:bframes=0"
    with av.open(str(path), "w") as out:
        stream = cast(VideoStream, out.add_stream(codec, rate=25, options=options))
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        for index, picture in enumerate(pictures):
            frame = ycbcr_frame(picture, pix_fmt, matrix)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def set_display_matrix(path: Path, orientation: int) -> None:
    """Write the display matrix of ``orientation`` into the header of the only track of an MP4 file."""
    a, b, c, d = (65536 * value for value in MATRICES[orientation])
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44  # version 0 (ISO/IEC 14496-12, 8.3.2)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def as_hdr(upright: ImageArray, transfer: str) -> npt.NDArray[np.uint16]:
    """Return the picture as 16-bit BGR of BT.2020, with the ``transfer`` "pq", "hlg" or "sdr".

    White is shown with 203 candelas per square metre in HDR, as ITU-R BT.2408 has it.
    """
    rgb = (upright[..., ::-1] / 255.0) ** 2.4
    nits = 203 * np.clip(rgb @ np.array(_BT709_TO_BT2020).T, 0, None)
    signal = {"pq": _pq, "hlg": _hlg, "sdr": _gamma}[transfer](nits)
    return np.ascontiguousarray(np.rint(65_535 * np.clip(signal, 0, 1)).astype(np.uint16)[..., ::-1])


_BT709_TO_BT2020 = (
    (0.6274, 0.3293, 0.0433),
    (0.0691, 0.9195, 0.0114),
    (0.0164, 0.0880, 0.8956),
)  # ITU-R BT.2087


def _gamma(nits: FloatArray) -> FloatArray:
    return np.asarray((nits / 203) ** (1 / 2.4))


def _pq(nits: FloatArray) -> FloatArray:
    power = (nits / 10_000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def _hlg(nits: FloatArray) -> FloatArray:
    shown_light = nits / 1000
    luminance = np.maximum(shown_light @ np.array([0.2627, 0.6780, 0.0593]), 1e-9)[..., None]
    scene = shown_light * luminance ** (1 / 1.2 - 1)
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), high))
