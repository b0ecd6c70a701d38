"""Labelled test faces, whatever the number of points, and the crops of them that a network sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tracker.types import FloatArray
from train.errors import DataError
from train.evaluation.results import Condition, Evaluation, Measure

if TYPE_CHECKING:
    from torch import Tensor

    from train.data.dataset import Sample


class LabelCrops(Protocol):
    """One crop of each labelled face at the network's size, and the way back into the image."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Sample:
        """The crop as training's loader would make it, not augmented; uint8 ``(1, H, W)`` comes first."""
        ...

    def to_image(self, index: int, points: Tensor) -> FloatArray:
        """Points ``(P, 2)`` in crop sides from the crop's centre, as pixels of the whole image."""
        ...


class Label(Protocol):
    """What a reader makes of one labelled face."""

    @property
    def image(self) -> Path:
        """Where its picture lies."""
        ...


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """N test faces: the ``labels`` that were read, and of these what is measured.

    ``truth`` is ``(N, P, 2)`` in image pixels; ``normaliser`` ``(N,)`` is as in
    :class:`~train.evaluation.results.Evaluation`. ``alone`` says what a network alone is given of them.
    Raises :class:`~train.errors.DataError` if there is no face.
    """

    measure: Measure
    labels: tuple[Label, ...]
    subsets: tuple[str, ...]
    truth: FloatArray
    normaliser: FloatArray
    alone: Condition = "label box"

    def __post_init__(self) -> None:
        if not self.labels:
            raise DataError("there are no test faces")

    @property
    def images(self) -> tuple[Path, ...]:
        """Where the picture of each face lies."""
        return tuple(label.image for label in self.labels)

    def only(self, wanted: Iterable[bool]) -> LabelledSet:
        """The faces for which ``wanted``, one bool a face, is true."""
        rows = np.flatnonzero(list(wanted))
        return replace(
            self,
            labels=tuple(self.labels[row] for row in rows),
            subsets=tuple(self.subsets[row] for row in rows),
            truth=self.truth[rows],
            normaliser=self.normaliser[rows],
        )

    def evaluated(self, condition: Condition, predicted: FloatArray) -> Evaluation:
        """These faces with what was ``predicted``, ``(N, P, 2)`` in image pixels, NaN for a miss."""
        return Evaluation(
            condition, self.measure, self.images, self.subsets, predicted, self.truth, self.normaliser
        )
