"""Input of a network of any origin: size, colours, layout and range of the pictures that it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from tracker.errors import WeightsError
from tracker.inference.graph import FLOATS, Graph
from tracker.scheme.fields import Fields, list_of, number, one_of, positive, two_numbers, whole
from tracker.types import FloatArray, ImageArray

MOST_SIDE = 4096
"""Longest side of an input in pixels."""


@dataclass(frozen=True)
class PictureInput:
    """Pictures as a network takes them.

    ``size`` is (width, height) in pixels, ``colours`` ``grey``, ``RGB`` or ``BGR``, ``layout`` ``NCHW`` or
    ``NHWC``. Grey levels 0..255 are mapped to ``levels`` (black, white); then ``mean`` is subtracted, and the
    difference divided by ``std``, both one number or one for each channel.

    Raises ``ValueError`` for values that cannot be.
    """

    size: tuple[int, int]
    colours: str = "RGB"
    layout: str = "NCHW"
    levels: tuple[float, float] = (0.0, 255.0)
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        if not all(8 <= side <= MOST_SIDE for side in self.size):
            raise ValueError(f"size must lie in 8..{MOST_SIDE} pixels, got {self.size}")
        if not {len(self.mean), len(self.std)} <= {1, self.channels}:
            raise ValueError(f"mean and std are one number, or one for each of {self.channels} channels")
        if not (all(map(math.isfinite, (*self.levels, *self.mean))) and min(self.std) > 0):
            raise ValueError("range, mean and std must be finite, std above 0")
        if self.levels[0] == self.levels[1]:
            raise ValueError(f"range must be the values of black and of white, got {list(self.levels)}")

    @property
    def channels(self) -> int:
        """Number of channels."""
        return 1 if self.colours == "grey" else 3

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of the input, None for the number of pictures."""
        width, height = self.size
        sides = (height, width)
        return (None, self.channels, *sides) if self.layout == "NCHW" else (None, *sides, self.channels)

    @cached_property
    def _line(self) -> tuple[FloatArray, FloatArray]:
        """Factor and offset that turn a grey level into a value, one for each channel, float32."""
        (black, white), mean, std = self.levels, np.array(self.mean), np.array(self.std)
        factor, offset = (white - black) / 255 / std, (black - mean) / std
        return factor.astype(np.float32), offset.astype(np.float32)

    def batch(self, pictures: ImageArray, kind: str) -> FloatArray | ImageArray:
        """Return ``pictures`` as the network takes them, in numbers of that ``kind``.

        They are uint8 of :attr:`size`, ``(N, H, W)`` grey or ``(N, H, W, 3)`` BGR.
        """
        batch = self._coloured(pictures)
        if kind != "uint8":
            factor, offset = self._line
            batch = (batch * factor + offset).astype(kind)
        return np.ascontiguousarray(batch.transpose(0, 3, 1, 2) if self.layout == "NCHW" else batch)

    def _coloured(self, pictures: ImageArray) -> ImageArray:
        """Return ``(N, H, W, C)`` in the right colours."""
        if pictures.ndim == 3:
            return np.repeat(pictures[..., None], self.channels, axis=3)
        if self.colours == "grey":
            return np.stack([cv2.cvtColor(one, cv2.COLOR_BGR2GRAY) for one in pictures])[..., None]
        return pictures[..., ::-1] if self.colours == "RGB" else pictures

    def kind_for(self, graph: Graph, where: str) -> str:
        """Return the kind of numbers that the only input of ``graph`` takes.

        Raises :class:`~tracker.errors.WeightsError`, with ``where`` in front, if it takes other pictures.
        """
        taken = graph.only_input(where)
        if not taken.may_be(*self.shape):
            wanted = ", ".join("N" if side is None else str(side) for side in self.shape)
            raise WeightsError(
                f"{where}: input {taken} is not ({wanted}), as size, colours and layout in the TOML file say"
            )
        if taken.kind not in ("uint8", *FLOATS):
            raise WeightsError(f"{where}: input {taken} must be uint8, float32 or float16")
        if taken.kind == "uint8" and (self.levels, set(self.mean), set(self.std)) != ((0, 255), {0}, {1}):
            raise WeightsError(f"{where}: input {taken} takes grey levels; leave out range, mean and std")
        return taken.kind


def picture_input_of(fields: Fields, square: bool) -> PictureInput:
    """Return the input that a TOML table describes; ``square``: ``size`` is one number.

    The caller ends the table. Raises ``ValueError``, in one line, for other fields and values.
    """
    if square:
        size = (fields.require("size", whole),) * 2
    else:
        width, height = fields.require("size", list_of(whole, "[width, height] in pixels", 2))
        size = (width, height)
    values = list_of(number, "a list of numbers, one for each channel")
    return PictureInput(
        size,
        fields.read("colours", one_of("grey", "RGB", "BGR"), "RGB"),
        fields.read("layout", one_of("NCHW", "NHWC"), "NCHW"),
        fields.read("range", two_numbers, (0.0, 255.0)),
        fields.optional("mean", values) or (0.0,),
        fields.optional("std", list_of(positive, "a list of numbers above 0, one for each channel"))
        or (1.0,),
    )
