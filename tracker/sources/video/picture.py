"""Conversion of video frames to upright BGR pictures, and of BGR pictures to video frames."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from tracker.sources.colour import is_bt709, matrix_of, to_bt709
from tracker.sources.images.read import over_white
from tracker.sources.orientation import Orientation
from tracker.types import ImageArray

# Without the last two libswscale truncates: each copy of a film would be darker than the one before by a grey
# level. To packed RGB they are slow, so that planes are converted.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_WHITE_OF_12_BITS = 255 << 4  # libswscale shifts eight bits


def orientation_of(frame: VideoFrame) -> Orientation:
    """Return the orientation that the display matrix of the frame states; upright without one.

    Decoders of JPEG and PNG make a display matrix of the EXIF orientation. Behind side data of a kind that
    PyAV does not know the matrix cannot be read: then the turn counts, and mirroring is lost.
    """
    # ``frame.side_data`` and the frame would refer to each other: memory and threads of the decoder would
    # stay until the garbage collector runs.
    side_data = SideDataContainer.__new__(SideDataContainer)
    with suppress(ValueError):  # a kind that PyAV does not know, such as EXIF; what comes before it is there
        side_data.__init__(frame)  # type: ignore[misc]  # missing in PyAV's stubs
    if Type.DISPLAYMATRIX in side_data:
        return Orientation.from_matrix(np.frombuffer(bytes(side_data[Type.DISPLAYMATRIX]), np.int32).tolist())
    return Orientation.from_quarter_turns(round(frame.rotation / 90))


class PictureConverter:
    """Converter between video frames and BGR pictures, for one thread; it keeps what libswscale prepared."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def upright_picture(self, frame: VideoFrame) -> ImageArray:
        """Return the frame as upright ``(H, W, 3)`` BGR of BT.709, transparent pixels over white."""
        return np.ascontiguousarray(orientation_of(frame).upright(self._bgr(frame)))

    def bt709_frame(self, image_bgr: ImageArray, pix_fmt: str) -> VideoFrame:
        """Return the picture ``(H, W, 3)`` as a frame in ``pix_fmt``, YCbCr with the matrix of BT.709."""
        frame = VideoFrame.from_ndarray(image_bgr, format="bgr24")
        if pix_fmt == "rgb8":
            return self._reformatter.reformat(frame, format=pix_fmt)
        return self._reformatter.reformat(
            frame, format=pix_fmt, dst_colorspace=Colorspace.ITU709, interpolation=_EXACT, threads=1
        )

    def _bgr(self, frame: VideoFrame) -> ImageArray:
        if not frame.format.is_rgb:
            frame.colorspace = matrix_of(frame.colorspace, frame.color_trc, frame.width, frame.height)
        if not is_bt709(frame.color_primaries, frame.color_trc):
            green, blue, red = self._planes(frame, "gbrp12le", np.uint16)
            codes = cv2.merge([blue, green, red])
            return to_bt709(codes, _WHITE_OF_12_BITS, frame.color_primaries, frame.color_trc)
        if any(component.is_alpha for component in frame.format.components):
            green, blue, red, alpha = self._planes(frame, "gbrap", np.uint8)
            return over_white(cv2.merge([blue, green, red, alpha]))
        green, blue, red = self._planes(frame, "gbrp", np.uint8)
        return cast(ImageArray, cv2.merge([blue, green, red]))

    def _planes(self, frame: VideoFrame, pix_fmt: str, dtype: type[np.generic]) -> list[npt.NDArray[Any]]:
        """Return the planes of the frame in the planar RGB format ``pix_fmt``, each ``(H, W)``."""
        planar = self._reformatter.reformat(frame, format=pix_fmt, interpolation=_EXACT, threads=1)
        rows = (np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1) for plane in planar.planes)
        return [row[:, : frame.width] for row in rows]
