"""Pictures that show another person beside the labelled one.

A crop beside the labelled face is a sample without a face, unless somebody else is there. Data sets are cut
from photographs of several people, and few of them label everybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from train.data.faceless import FacelessPicture
from train.data.faces import LabelledFace

_CUT_UP = ("afw", "wflw68")
"""Data sets of single faces cut from photographs; ``PHOTOGRAPH_N`` is the N-th face of one."""


def crowded(pictures: Sequence[LabelledFace | FacelessPicture]) -> list[bool]:
    """Tell for each of ``pictures`` whether it shows more people than the labelled one, or may.

    It may if several faces of its photograph are labelled; that it does is known from ``crowded.txt``.
    """
    faces = [picture for picture in pictures if isinstance(picture, LabelledFace)]
    together: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    for face in faces:
        together[_photograph(face)].add(face.points.tobytes())  # a repeated face is still one
    return [
        isinstance(picture, LabelledFace)
        and (len(together[_photograph(picture)]) > 1 or _name(picture) in _listed())
        for picture in pictures
    ]


def _photograph(face: LabelledFace) -> tuple[str, str]:
    if face.subset in _CUT_UP:
        return face.subset, face.image.stem.rpartition("_")[0]
    return face.subset, str(face.image)


def _name(face: LabelledFace) -> str:
    return f"{face.subset}/{face.image.stem}"


@cache
def _listed() -> frozenset[str]:
    text = Path(__file__).with_name("crowded.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
