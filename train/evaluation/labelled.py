"""Labelled test faces with any number of points, and their crops as the input of a network."""

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
    """One crop of each labelled face at the network's size, and the map back into the image."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Sample:
        """Return the crop as training's loader makes it, not augmented; uint8 ``(1, H, W)`` comes first."""
        ...

    def to_image(self, index: int, points: Tensor) -> FloatArray:
        """Convert points ``(P, 2)`` from crop sides from the crop's centre to pixels of the whole image."""
        ...


class Label(Protocol):
    """A labelled face as returned by a reader."""

    @property
    def image(self) -> Path:
        """Path of its image."""
        ...


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """N test faces: the ``labels`` as read, and the values that are measured.

    ``truth`` is ``(N, P, 2)`` in image pixels; ``normaliser`` ``(N,)`` is as in
    :class:`~train.evaluation.results.Evaluation`, as are ``people``. ``alone`` is the condition of a network
    alone on these faces. Raises :class:`~train.errors.DataError` if there is no face.
    """

    measure: Measure
    labels: tuple[Label, ...]
    subsets: tuple[str, ...]
    truth: FloatArray
    normaliser: FloatArray
    alone: Condition = "label box"
    people: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.labels:
            raise DataError("there are no test faces")

    @property
    def images(self) -> tuple[Path, ...]:
        """Path of each face's image."""
        return tuple(label.image for label in self.labels)

    def only(self, wanted: Iterable[bool]) -> LabelledSet:
        """Return the faces for which ``wanted``, one bool a face, is true."""
        rows = np.flatnonzero(list(wanted))
        return replace(
            self,
            labels=tuple(self.labels[row] for row in rows),
            subsets=tuple(self.subsets[row] for row in rows),
            truth=self.truth[rows],
            normaliser=self.normaliser[rows],
            people=tuple(self.people[row] for row in rows) if self.people else (),
        )

    def evaluated(self, condition: Condition, predicted: FloatArray) -> Evaluation:
        """Combine these faces with ``predicted`` points ``(N, P, 2)``, in image pixels, NaN if missed."""
        return Evaluation(
            condition=condition,
            measure=self.measure,
            images=self.images,
            subsets=self.subsets,
            predicted=predicted,
            truth=self.truth,
            normaliser=self.normaliser,
            people=self.people,
        )
