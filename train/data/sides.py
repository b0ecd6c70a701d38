"""Split of the data sets of turned, masked and absent faces into training, validation and held-out parts.

A face's side depends on a hash of its key only: the person (CFP), the photograph (WIDER, AFLW, masks) or the
picture (without faces). It is the same on every machine, and stays so when pictures are added.
"""

from __future__ import annotations

import zlib
from enum import Enum
from pathlib import PurePath

_SHARES = 16
_HELD_OUT, _VALIDATION = 5, 1
"""Sixteenths of people and photographs that are held out, and that validate."""


class Side(Enum):
    """Part of a data set; ``HELD_OUT`` is for reporting, never for fitting or choosing anything."""

    TRAINING = "training"
    VALIDATION = "validation"
    HELD_OUT = "held out"


def person_side(person: str) -> Side:
    """Return the side of a CFP person: ``crc32("cfp/PPP") % 16`` below 5 is held out, 5 validates."""
    return _side(f"cfp/{person}", _HELD_OUT)


def photograph_side(photograph: str) -> Side:
    """Return the side of a photograph, such as ``wider/12_Group_Group_12_Group_Group_12_233``.

    ``crc32(photograph) % 16`` below 5 is held out, 5 validates.
    """
    return _side(photograph, _HELD_OUT)


def group_side(name: str) -> Side:
    """Return the side of the picture ``name`` of ``groups``, which are photographs of WIDER.

    Some are there twice, once as ``lowres_``.
    """
    return photograph_side(f"wider/{PurePath(name).stem.removeprefix('lowres_')}")


def half_side(picture: str) -> Side:
    """Return the side of a picture of which half are held out: ``crc32(picture) % 16`` from 8 on trains.

    7 validates, lower numbers are held out.
    """
    return _side(picture, _SHARES // 2 - 1)


def wider_photograph(stem: str) -> str:
    """Return the key of the WIDER photograph of the face ``stem``, ``PHOTOGRAPH_N`` with the face's number.

    ``wflw68`` and ``profiles`` (there after ``wider_``) hold faces of the same photographs.
    """
    return f"wider/{stem.removeprefix('wider_').rpartition('_')[0]}"


def _side(key: str, held_out: int) -> Side:
    place = zlib.crc32(key.encode()) % _SHARES
    if place < held_out:
        return Side.HELD_OUT
    return Side.VALIDATION if place < held_out + _VALIDATION else Side.TRAINING
