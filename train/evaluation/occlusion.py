"""Error and quality of points on faces under a drawn mask and in light from one side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from train.data.readers import LabelledFace
from train.evaluation.turned import Change, changed, half_lit, masked, unchanged
from train.models.load import Loaded
from train.progress import OnRead

CHANGES: Mapping[str, Change] = MappingProxyType({"plain": unchanged, "mask": masked, "half light": half_lit})
"""Changes of the picture, by name; each face is always changed in the same way."""


@dataclass(frozen=True)
class OcclusionScore:
    """Accuracy of a network on label-box crops of ``faces`` after one ``change`` of the picture.

    ``mean`` is the NME in per cent over all faces, ``present`` the share, 0..1, whose presence is above one
    half. ``quality_auc``, 0..1, is the chance that a covered point has a lower quality than one that is not
    covered; NaN if the change covers none. For networks without presence or maps these are NaN.
    """

    change: str
    faces: int
    mean: float
    present: float
    quality_auc: float


def occlusion(
    loaded: Loaded, faces: Sequence[LabelledFace], on_face: OnRead = lambda: None
) -> tuple[OcclusionScore, ...]:
    """Measure ``loaded`` on ``faces`` after each of :data:`CHANGES`; ``on_face`` is called for each face."""
    rows = []
    for name, change in CHANGES.items():
        # Quality falls as the spread of a map grows, so the spread ranks points as quality does.
        figures, area = changed(loaded, faces, change, on_face)
        rows.append(OcclusionScore(name, figures.faces, figures.error_percent, figures.found, area))
    return tuple(rows)
