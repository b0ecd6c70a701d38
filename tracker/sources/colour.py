"""Colour of films and pictures: which matrix an untagged film uses, and conversion to BT.709.

Colours leave this package as those of BT.709 in eight bits. Numbers of matrices, primaries and transfers are
those of ITU-T H.273, which files and libav use.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from tracker.types import FloatArray, ImageArray

UNSPECIFIED = 2
BT709_MATRIX, BT601_MATRIX, BT2020_MATRIX = 1, 6, 9

_BT2020_PRIMARIES, _P3_PRIMARIES = 9, 12
_PQ, _HLG = 16, 18
_HD_HEIGHT, _SD_WIDTH = 720, 1024

_REFERENCE_WHITE = 203.0  # candelas per square metre: white paper in HDR (ITU-R BT.2408)
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2  # of the nominal display (ITU-R BT.2100, table 5)
_SDR_GAMMA = 2.4  # ITU-R BT.1886
_KNEE = 0.8  # light, of reference white, up to which tone mapping changes nothing
_STRIP_PIXELS = 1 << 18  # floating-point copies of whole pictures would fill the memory

_FROM_BT2020 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)  # linear RGB to RGB of BT.709 (ITU-R BT.2087)
_FROM_P3 = np.array([[1.2249, -0.2249, 0.0], [-0.0421, 1.0421, 0.0], [-0.0196, -0.0786, 1.0983]])
_BT2020_LUMINANCE = np.array([[0.2627, 0.6780, 0.0593]])  # of linear RGB (ITU-R BT.2020)


def matrix_of(stated: int, transfer: int, width: int, height: int) -> int:
    """Return the matrix of a film's YCbCr: ``stated``, or the usual one where a film states none.

    ``width`` and ``height`` are those of the stored picture in pixels. As in players, HD is BT.709 and what
    is smaller BT.601.
    """
    if stated != UNSPECIFIED:
        return stated
    if transfer in (_PQ, _HLG):
        return BT2020_MATRIX
    return BT709_MATRIX if height >= _HD_HEIGHT or width > _SD_WIDTH else BT601_MATRIX


def is_bt709(primaries: int, transfer: int) -> bool:
    """Return whether colours can be taken as those of BT.709; :func:`to_bt709` converts the others."""
    return transfer not in (_PQ, _HLG) and primaries not in (_BT2020_PRIMARIES, _P3_PRIMARIES)


def to_bt709(codes_bgr: npt.NDArray[Any], white: int, primaries: int, transfer: int) -> ImageArray:
    """Return the BT.709 picture, uint8, of ``codes_bgr`` ``(H, W, 3)``, unsigned integers up to ``white``.

    HDR (PQ and HLG, ITU-R BT.2100) is tone-mapped: light up to 80 % of reference white, 203 candelas per
    square metre, is kept, and brighter light is compressed into the rest, channel by channel.
    """
    image = np.empty(codes_bgr.shape, np.uint8)
    rows = max(_STRIP_PIXELS // codes_bgr.shape[1], 1)
    for top in range(0, len(image), rows):
        image[top : top + rows] = _strip_to_bt709(codes_bgr[top : top + rows], white, primaries, transfer)
    return image


def _strip_to_bt709(codes: npt.NDArray[Any], white: int, primaries: int, transfer: int) -> ImageArray:
    light = _light_table(transfer, white, np.iinfo(codes.dtype).max + 1)[codes]
    if transfer == _HLG:
        light = _displayed(light)
    is_p3 = primaries == _P3_PRIMARIES
    is_wide = (
        is_p3 or primaries == _BT2020_PRIMARIES or (transfer in (_PQ, _HLG) and primaries == UNSPECIFIED)
    )
    if is_wide:
        light = cv2.transform(light, (_FROM_P3 if is_p3 else _FROM_BT2020)[::-1, ::-1])
    is_hdr = transfer in (_PQ, _HLG)
    table, brightest = _code_table(is_hdr)
    # Equal steps of the square root are about equal steps for the eye.
    places = np.sqrt(np.clip(light, 0, brightest) / brightest) * (len(table) - 1)
    return cast(ImageArray, table[(places + 0.5).astype(np.uint16)])


def _displayed(scene_bgr: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the light of a display, of reference white, for scene light 0..1 (HLG's OOTF, BT.2100)."""
    luminance = cv2.transform(scene_bgr, _BT2020_LUMINANCE[:, ::-1])
    gain = np.power(np.maximum(luminance, 1e-9), _HLG_GAMMA - 1) * (_HLG_PEAK / _REFERENCE_WHITE)
    return cast(
        "npt.NDArray[np.float32]", scene_bgr * gain.astype(np.float32).reshape(*scene_bgr.shape[:2], 1)
    )


@lru_cache(maxsize=4)
def _light_table(transfer: int, white: int, size: int) -> npt.NDArray[np.float32]:
    """Return linear light for each of ``size`` codes.

    It is relative to reference white, for HLG to the brightest light of the scene.
    """
    curve = {_PQ: _pq_light, _HLG: _hlg_light}.get(transfer, _sdr_light)
    return curve(np.minimum(np.arange(size) / white, 1.0)).astype(np.float32)


def _pq_light(signal: FloatArray) -> FloatArray:
    """Return light, of reference white, for a PQ signal 0..1 (BT.2100, table 4)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = signal ** (1 / m2)
    return np.asarray(10_000 / _REFERENCE_WHITE * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1))


def _hlg_light(signal: FloatArray) -> FloatArray:
    """Return the light of the scene, 0..1, for an HLG signal 0..1 (BT.2100, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def _sdr_light(signal: FloatArray) -> FloatArray:
    """Return light, of white, for a signal 0..1 of a display with BT.1886."""
    return np.asarray(signal**_SDR_GAMMA)


@lru_cache(maxsize=2)
def _code_table(is_hdr: bool) -> tuple[ImageArray, float]:
    """Return BT.709 codes for light 0..``brightest`` in equal steps of its square root, and ``brightest``."""
    brightest = 10_000 / _REFERENCE_WHITE if is_hdr else 1.0
    light = brightest * np.linspace(0, 1, 1 << 16) ** 2
    shown: Callable[[FloatArray], FloatArray] = _tone_mapped if is_hdr else np.asarray
    return np.rint(255 * shown(light) ** (1 / _SDR_GAMMA)).astype(np.uint8), brightest


def _tone_mapped(light: FloatArray) -> FloatArray:
    """Return light 0..1 for light of reference white: unchanged up to the knee, then smoothly towards 1."""
    room = 1 - _KNEE
    return np.where(light <= _KNEE, light, 1 - room * np.exp(-np.maximum(light - _KNEE, 0) / room))
