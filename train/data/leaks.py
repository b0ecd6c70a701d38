"""Detection of test and validation pictures in the training data.

Data sets of faces from the web overlap: the same photograph occurs with two names, in two sizes, with text on
it or mirrored. Pictures are compared by their bytes, by their names where these are unique, by the person
where the data set tells, and by their appearance (:mod:`train.data.phash`).
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from tracker.geometry import CropTransform, upright_square
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.types import ImageArray
from train.data.phash import Appearance, appearance_of, near_copies
from train.data.pictures import unreadable
from train.data.readers import LabelledFace, read_pts_folder
from train.data.splits import TEST_FOLDERS, root_300w
from train.errors import DataError, TrainError

log = logging.getLogger(__name__)

Kind = Literal["same image", "same name", "same person", "near-copy", "mirrored near-copy"]

UNIQUE_NAMES = frozenset({"afw", "helen", "wflw", "wflw68", "youtube"})
"""Data sets whose file names identify photographs, in whichever folder.

Those of lfpw do not: training and test set both count from image_0001.
"""

FACE_MARGIN = 1.6
"""Side of the compared crop over the longer side of the face.

Includes hair and collar, which differ more between people than the inner face, but not the background, which
depends on how the image was cut.
"""

_CROP_SIZE = 64
_NAMED_IN_MESSAGE = 3

OWN_CORRELATION = 0.9
"""Smallest correlation between near-copies of one's own data, which may be from a single studio."""


class LeakError(TrainError):
    """Pictures of the test or validation set are in the training data."""


@dataclass(frozen=True)
class Leak:
    """A ``training`` image and the ``held_out`` image, of the test or validation set, that it reveals."""

    kind: Kind
    training: Path
    held_out: Path

    def __str__(self) -> str:
        return f"{self.training} gives away {self.held_out}, which is held out: {self.kind}"


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """Features by which two pictures are recognised as the same; made by :func:`fingerprint`.

    ``subset`` is the data set, ``person`` an identity within it (empty: not known), ``digest`` the SHA-256 of
    the file.
    """

    image: Path
    subset: str
    person: str
    digest: str
    appearance: Appearance


def fingerprint(image: Path, subset: str, person: str = "", crop: CropTransform | None = None) -> Fingerprint:
    """Read ``image`` and compute its fingerprint, of ``crop`` or of the whole picture.

    Raises :class:`~train.errors.DataError` if it cannot be read.
    """
    try:
        content = image.read_bytes()
    except OSError as error:
        raise DataError(f"{image}: cannot be read: {error.strerror}") from error
    grey = _decode_grey(image, content)
    appearance = appearance_of(grey if crop is None else crop.cut(grey))
    return Fingerprint(image, subset, person, hashlib.sha256(content).hexdigest(), appearance)


def find_leaks(
    training: Sequence[Fingerprint],
    held_out: Sequence[Fingerprint],
    min_correlation: float | None = None,
) -> tuple[Leak, ...]:
    """Find the leaks from ``training`` into ``held_out``, at most one for each training picture.

    Of several leaks of one picture the most evident kind is kept. ``min_correlation`` is for data whose
    pictures are more alike than most: see :mod:`train.data.phash`.
    """
    found: dict[int, Leak] = {}
    for kind, key in _KEYS:
        # Keeps the first held-out picture of each key: the last entry of a dict wins, hence reversed.
        known = {mark: other.image for other in reversed(held_out) if (mark := key(other)) is not None}
        for index, one in enumerate(training):
            mark = key(one)
            if index not in found and mark is not None and mark in known:
                found[index] = Leak(kind, one.image, known[mark])
    appearances = ([one.appearance for one in training], [other.appearance for other in held_out])
    for copy in near_copies(*appearances, min_correlation):
        like: Kind = "mirrored near-copy" if copy.mirrored else "near-copy"
        leak = Leak(like, training[copy.first].image, held_out[copy.second].image)
        found.setdefault(copy.first, leak)
    return tuple(found[index] for index in sorted(found))


def check_leaks(
    training: Sequence[LabelledFace],
    test: Sequence[LabelledFace],
    on_image: Callable[[], object] = lambda: None,
    validation: Sequence[LabelledFace] = (),
) -> tuple[Leak, ...]:
    """Find the leaks from ``training`` and ``validation`` into ``test``, and from training into validation.

    Faces are compared as upright crops around their points, independent of how an image was cut or turned.
    Each image is read once; ``on_image`` is called after each. Logs a warning if there are no test faces.

    Raises :class:`~train.errors.DataError` if an image cannot be read.
    """
    if not test:
        log.warning("there are no test faces: nothing tells whether training saw any")
    train_prints, validation_prints, test_prints = (
        [_of_face(face, on_image) for face in faces] for faces in (training, validation, test)
    )
    into_test = find_leaks([*train_prints, *validation_prints], test_prints)
    return into_test + find_leaks(train_prints, validation_prints)


def refuse_own_leaks(
    training: Sequence[LabelledFace],
    validation: Sequence[LabelledFace],
    scheme: Scheme,
    on_image: Callable[[], object] = lambda: None,
) -> tuple[Leak, ...]:
    """Check that no validation picture or person of one's own data is in training; return the near-copies.

    Pictures of one studio, or of one kind of object, can look alike without being copies, so that near-copies
    are left to the user. Raises :class:`LeakError` for the same file or person, and
    :class:`~train.errors.DataError` if an image cannot be read.
    """
    train_prints, validation_prints = (
        [_of_face(face, on_image, scheme) for face in faces] for faces in (training, validation)
    )
    leaks = find_leaks(train_prints, validation_prints, OWN_CORRELATION)
    sure = [leak for leak in leaks if leak.kind in ("same image", "same person")]
    if sure:
        raise LeakError(
            f"{len(sure)} training pictures are the same as, or show the same person as, a validation "
            f"picture: {sure[0].training} and {sure[0].held_out}; remove one of them, or choose another "
            "--validation"
        )
    return leaks


def refuse_leaks(
    training: Sequence[LabelledFace],
    test: Sequence[LabelledFace],
    on_image: Callable[[], object] = lambda: None,
    validation: Sequence[LabelledFace] = (),
) -> None:
    """Raise :class:`LeakError` if :func:`check_leaks` finds any leak."""
    refuse(check_leaks(training, test, on_image, validation))


def refuse(leaks: Sequence[Leak]) -> None:
    """Raise :class:`LeakError` if there are ``leaks``, naming the first, their number and the remedy."""
    if not leaks:
        return
    first = "; ".join(map(str, leaks[:_NAMED_IN_MESSAGE]))
    more = f"; and {len(leaks) - _NAMED_IN_MESSAGE} more" if len(leaks) > _NAMED_IN_MESSAGE else ""
    raise LeakError(
        f"training images show held-out ones, {len(leaks)} in all: {first}{more}; take them out of their "
        "folder with their labels, or, of our data sets, name them in LEFT_OUT of train/data/splits.py"
    )


def present_test_faces(data: Path) -> list[LabelledFace]:
    """Read the faces of those folders of the 300-W common test subset that exist below ``data``.

    Logs a warning that names missing folders: training works without them, but overlap with them is not
    detected. Raises :class:`~train.errors.DataError` if 300-W is missing, or for a folder without labels.
    """
    root = root_300w(data)
    there = {subset: folder for subset, folder in TEST_FOLDERS.items() if (root / folder).is_dir()}
    absent = [str(root / folder) for subset, folder in TEST_FOLDERS.items() if subset not in there]
    if absent:
        log.warning("training images cannot be checked against absent test sets: %s", ", ".join(absent))
    return [face for subset, folder in there.items() for face in read_pts_folder(root / folder, subset)]


def count_by_subset(faces: Sequence[LabelledFace]) -> str:
    """Describe the number of faces, for example ``554 (lfpw 224, helen 330)``."""
    counts = Counter(face.subset for face in faces)
    parts = ", ".join(f"{subset} {count}" for subset, count in counts.items())
    return f"{len(faces)} ({parts})" if parts else "0"


def _of_face(face: LabelledFace, on_image: Callable[[], object], scheme: Scheme = IBUG68) -> Fingerprint:
    center, side, angle = upright_square(face.points, scheme)
    crop = CropTransform(center, FACE_MARGIN * side, angle, _CROP_SIZE)
    taken = fingerprint(face.image, face.subset, face.person, crop)
    on_image()
    return taken


def _decode_grey(image: Path, content: bytes) -> ImageArray:
    buffer = np.frombuffer(content, np.uint8)
    grey = cv2.imdecode(buffer, cv2.IMREAD_GRAYSCALE) if buffer.size else None
    if grey is None:
        raise unreadable(image)
    return np.asarray(grey, np.uint8)


def _unique_name(one: Fingerprint) -> Hashable:
    return (one.subset, one.image.name) if one.subset in UNIQUE_NAMES else None


def _known_person(one: Fingerprint) -> Hashable:
    return (one.subset, one.person) if one.person else None


_KEYS: tuple[tuple[Kind, Callable[[Fingerprint], Hashable]], ...] = (
    ("same image", lambda one: one.digest),  # includes one file under two paths
    ("same name", _unique_name),
    ("same person", _known_person),
)
"""Features that two pictures must not share, most evident first; a key of ``None`` is not compared."""
