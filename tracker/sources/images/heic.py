"""Decoding of HEIC, the format of iPhones' photos, with pillow-heif, which is an extra."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from tracker.distribution import install_command


class MissingExtraError(Exception):
    """A package that is not installed; the message tells how to install it."""


def read_heic(data: bytes) -> npt.NDArray[Any]:
    """Return the main picture of the HEIC file ``data``, turned upright by its container.

    ``(H, W)`` grey, ``(H, W, 3)`` BGR or ``(H, W, 4)`` BGRA; uint8, or uint16 over the full range.

    Raises:
        MissingExtraError: pillow-heif is not installed.
        ValueError: The file is damaged.
    """
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtraError(f"HEIC needs pillow-heif ({error}): {install_command('heic')}") from error
    try:
        image = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False, bgr_mode=True)
        return np.asarray(image)
    except (EOFError, OSError, RuntimeError, SyntaxError) as error:  # whatever libheif and its wrapper raise
        raise ValueError("not HEIC, or damaged") from error
