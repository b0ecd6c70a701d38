"""Detection of near-copies of pictures by a perceptual hash and the correlation of detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tracker.types import ImageArray

Bits = npt.NDArray[np.bool_]
Detail = npt.NDArray[np.float32]

HASH_BITS = 63
SIZE = 32
"""Width and height, in pixels, of the picture that is hashed and compared."""

MAX_DISTANCE = 10
"""Largest number of bits that differ between near-copies."""

MIN_CORRELATION = 0.8
"""Smallest correlation of detail between near-copies.

Upright face crops of different people differ by as few as 6 bits, as few as copies that were cropped,
recoloured or written on, so the bits alone do not separate them. Within 10 bits the detail does. In 300-W and
WFLW it correlates by less than 0.7 for different photographs, two shots of a series included, and by more
than 0.9 for the copies of test images in the training folders (``tests/train/data/test_leaks.py`` measures
both). Different people in one studio, with the same light and pose, correlate more than that: see
``train.training.imm``.
"""

_LOWEST = 8
_BLUR = 3.0  # pixels; coarser structures are light and background, which are alike in many portraits
_ROWS = 512  # of the table of pairs at a time, to bound the memory


@dataclass(frozen=True, eq=False)
class Appearance:
    """Features that a picture shares with its near-copies.

    ``bits`` is its perceptual hash ``(63,)``, ``mirrored_bits`` that of its mirror image; ``detail`` is
    float32 ``(32, 32)``, high-pass filtered, of zero mean and unit length, or zeros for a blank picture.
    """

    bits: Bits
    mirrored_bits: Bits
    detail: Detail

    def __post_init__(self) -> None:
        if self.bits.shape != (HASH_BITS,) or self.mirrored_bits.shape != (HASH_BITS,):
            raise ValueError(
                f"a hash has {HASH_BITS} bits, got {self.bits.shape}, {self.mirrored_bits.shape}"
            )
        if self.detail.shape != (SIZE, SIZE):
            raise ValueError(f"detail must be ({SIZE}, {SIZE}), got {self.detail.shape}")


@dataclass(frozen=True)
class NearCopy:
    """Picture ``first`` of one list (its mirror image, if ``mirrored``) looks like ``second`` of another."""

    first: int
    second: int
    mirrored: bool


def appearance_of(grey: ImageArray) -> Appearance:
    """Compute the :class:`Appearance` of a grey picture, uint8 ``(H, W)``.

    The hash is the pHash of C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions",
    2010: of the lowest 8x8 coefficients of the DCT of the picture at 32x32 pixels, without the mean, each bit
    tells whether a coefficient is above their median.
    """
    small = np.asarray(cv2.resize(grey, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.float32)
    lowest = np.asarray(cv2.dct(small)[:_LOWEST, :_LOWEST], np.float32)
    # The cosines of odd order are odd about the middle: mirroring changes their sign.
    mirrored = lowest * np.tile(np.array([1, -1], np.float32), _LOWEST // 2)
    return Appearance(_above_median(lowest), _above_median(mirrored), _detail(small))


def near_copies(
    first: Sequence[Appearance], second: Sequence[Appearance], min_correlation: float | None = None
) -> list[NearCopy]:
    """Find, for each picture of ``first``, the closest near-copy in ``second``, if there is one.

    Mirror images count as well. Near-copies differ in at most :data:`MAX_DISTANCE` bits, and their detail
    correlates by at least ``min_correlation`` (:data:`MIN_CORRELATION` if None). A blank picture has no
    near-copies.
    """
    least = MIN_CORRELATION if min_correlation is None else min_correlation
    if not first or not second:
        return []
    hashes = _signs([one.bits for one in second])
    details = np.stack([one.detail.ravel() for one in second])
    found: list[NearCopy] = []
    for start in range(0, len(first), _ROWS):
        some = first[start : start + _ROWS]
        plain = _likeness([one.bits for one in some], [one.detail for one in some], hashes, details)
        turned = [one.detail[:, ::-1] for one in some]
        mirror = _likeness([one.mirrored_bits for one in some], turned, hashes, details)
        best = np.maximum(plain, mirror)
        for row in np.flatnonzero(best.max(axis=1) >= least):
            column = int(best[row].argmax())
            found.append(NearCopy(start + int(row), column, bool(mirror[row, column] > plain[row, column])))
    return found


def _above_median(coefficients: npt.NDArray[np.float32]) -> Bits:
    values = coefficients.ravel()[1:]
    bits: Bits = values > np.median(values)
    return bits


def _detail(small: npt.NDArray[np.float32]) -> Detail:
    detail = small - cv2.GaussianBlur(small, (0, 0), _BLUR)
    detail -= detail.mean()
    length = float(np.linalg.norm(detail))
    # A blank picture has a residue of rounding; one grey level in one pixel is far above that.
    return np.asarray(detail / length if length > 0.1 else np.zeros_like(detail), np.float32)


def _likeness(
    bits: Sequence[Bits], details: Sequence[Detail], other_signs: Detail, other_details: Detail
) -> Detail:
    """Return the correlation of detail ``(N, M)``, or -1 where too many bits differ."""
    # Number of signs that agree minus the number that differ.
    agreement = _signs(bits) @ other_signs.T
    correlation = np.stack([detail.ravel() for detail in details]) @ other_details.T
    return np.where(HASH_BITS - agreement <= 2 * MAX_DISTANCE, correlation, np.float32(-1))


def _signs(bits: Sequence[Bits]) -> Detail:
    return np.where(np.stack(bits), np.float32(1), np.float32(-1))
