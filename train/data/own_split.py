"""Split of one's own labelled pictures into training and validation, by a rule that can be stated."""

from __future__ import annotations

import math
import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tracker.scheme.decimals import decimal
from tracker.scheme.value import Scheme
from train.data.faces import LabelledFace
from train.data.label_folder import Labelled, is_source, read_labelled
from train.data.text import numbered_lines
from train.errors import DataError

SHARE = "0.1"
"""Validation by default: a tenth."""


def _place(name: str) -> float:
    """Return where ``name`` lies among all, from 0 to below 1: its CRC-32 over the largest one."""
    return zlib.crc32(os.fsencode(name)) / 2**32


@dataclass(frozen=True)
class OwnData:
    """Labelled pictures in ``source`` and the rule by which some of them validate.

    ``validation`` is a share between 0 and 1, the path of a list, a ``.txt`` file of one name a line, or that
    of another folder or label file. A share is taken by CRC-32 of the names, so that it stays the same on
    every machine, and the side of a picture does when others are added. ``person`` is a regular expression
    that finds who is shown in the file's name, by its group if it has one; then people validate, not
    pictures, and the list names people.

    Raises :class:`DataError` for a rule that cannot be used.
    """

    source: Path
    validation: str = SHARE
    person: str = ""

    def __post_init__(self) -> None:
        try:
            groups = re.compile(self.person).groups
        except re.error as error:
            raise DataError(f"--person {self.person}: not a regular expression: {error}") from error
        if groups > 1:
            raise DataError(f"--person {self.person}: expected one group at most, (...), got {groups}")
        share = self.share
        if share is None and not (self.validation and Path(self.validation).exists()):
            raise DataError(
                f"--validation {self.validation}: neither a share such as 0.1 nor a file or folder"
            )
        if share is None and not self._is_list and not is_source(Path(self.validation)):
            raise DataError(f"--validation {self.validation}: the name of a list of names ends in .txt")
        if share is not None and not 0 < share < 1:
            raise DataError(f"--validation {self.validation}: a share lies between 0 and 1, such as 0.1")

    @property
    def share(self) -> float | None:
        """Share that validates, None for a list, a folder or a label file."""
        try:
            return decimal(self.validation)
        except ValueError:
            return None

    @property
    def rule(self) -> str:
        """The rule in words."""
        names = f"people, named by '{self.person}' in the file names," if self.person else "pictures"
        if self.share is not None:
            return f"{names} whose name has a CRC-32 in the lowest {100 * self.share:g} % validate"
        if self._is_list:
            return f"{names} that {Path(self.validation).name} lists validate"
        return f"the pictures of {Path(self.validation).name} validate"

    @property
    def _is_list(self) -> bool:
        return self.share is None and Path(self.validation).suffix.lower() == ".txt"

    def read(self, scheme: Scheme) -> Split:
        """Read the labels of ``scheme`` and split the faces.

        Raises :class:`DataError` if they cannot be read, if a part remains empty, if a name has no person, or
        if a listed name is not there.
        """
        labelled = read_labelled(self.source, scheme)
        faces = [self._named(face) for face in labelled.faces]
        if self.share is None and not self._is_list:
            other = read_labelled(Path(self.validation), scheme)
            split = Split(faces, [self._named(face) for face in other.faces], [labelled, other])
        else:
            chosen = self._chosen(faces)
            training = [face for face in faces if self._name(face) not in chosen]
            validation = [face for face in faces if self._name(face) in chosen]
            split = Split(training, validation, [labelled])
        for part, name in ((split.training, "train"), (split.validation, "validate")):
            if not part:
                raise DataError(
                    f"{self.source}: none of {len(faces)} faces would {name}, as {self.rule}: "
                    f"{self._remedy(faces)}"
                )
        return split

    def _remedy(self, faces: Sequence[LabelledFace]) -> str:
        """Return what to say so that both parts have faces: the share that is nearest, if there is one."""
        places = sorted({_place(self._name(face)) for face in faces})
        if len(places) < 2:
            return f"label two {'people' if self.person else 'pictures'} or more"
        if self.share is None:
            return "choose another --validation"
        least, most = math.floor(100 * places[0]) + 1, math.ceil(100 * places[-1])
        share = least if self.share <= places[0] else most - 1
        return f"say --validation {share / 100:g}" if least <= share < most else "choose another --validation"

    def _named(self, face: LabelledFace) -> LabelledFace:
        if not self.person:
            return face
        match = re.search(self.person, face.image.name)
        found = match and (match[1] if match.re.groups else match[0])
        if not found:
            raise DataError(f"--person {self.person} finds nobody in the name of {face.image}")
        return replace(face, person=found)

    def _name(self, face: LabelledFace) -> str:
        return face.person if self.person else face.image.stem

    def _chosen(self, faces: Sequence[LabelledFace]) -> set[str]:
        """Return the names of the people or pictures that validate."""
        names = {self._name(face) for face in faces}
        if self.share is not None:
            return {name for name in names if _place(name) < self.share}
        chosen = set()
        for number, line in numbered_lines(Path(self.validation)):
            name = line if self.person or line in names else Path(line).stem
            if name not in names:
                raise DataError(f"{self.validation}:{number}: nothing of {self.source} is named {line!r}")
            chosen.add(name)
        return chosen


@dataclass(frozen=True, eq=False)
class Split:
    """Faces to train and to validate on, and the sources that they were ``read`` from."""

    training: list[LabelledFace]
    validation: list[LabelledFace]
    read: list[Labelled]

    @property
    def notes(self) -> list[str]:
        """What the user is to know of the labels, a line each."""
        return [note for labelled in self.read for note in labelled.notes]
