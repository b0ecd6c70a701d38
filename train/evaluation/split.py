"""Split of the data of one evaluation into training, validation and test pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.data.asf import Shot
from train.data.dataset import Picture
from train.data.faceless import NOFACE
from train.data.readers import LabelledFace
from train.data.sides import Side
from train.data.splits import (
    HALF_LABELLED,
    TEST_PEOPLE,
    TRAINING_PEOPLE,
    VALIDATION_PEOPLE,
    YOUTUBE,
    faceless_pictures,
    half_faces,
    is_held_out,
    training_faces,
    youtube_faces,
)
from train.evaluation.labelled import LabelledSet
from train.evaluation.recipes import Recipe

HEADINGS = ("part", "data set", "pictures", "people or photographs")

_SETS = {
    "lfpw": "300-W, LFPW (lfpw)",
    "helen": "300-W, HELEN (helen)",
    "afw": "300-W, AFW (afw)",
    "wflw68": "WFLW, 68 of its points (wflw68)",
    "youtube": "YouTube Faces (youtube)",
    "profiles": "CFP profiles (profiles)",
    "hands": "faces behind hands (hands)",
    "noface": "pictures without a face (noface)",
    "pseudo": "faces that a network labelled (pseudo)",
    "imm": "IMM Face Database (imm)",
    "300w": "300-W and WFLW faces, framed like the database's (300w)",
}
_SOURCES = {"profiles": "profiles", "hands": "masked", NOFACE: NOFACE, "youtube": YOUTUBE[0]}
"""Folder or file of each data set that not every recipe reads."""

_HASHED = "one picture of 300-W's training folders in 16, by a hash of its name"
_TESTED = "not trained on: python -m train check-leaks compares them with all training pictures"
_OF_PEOPLE = "of two thirds of the people; the others are held out"
_KEPT = {
    "profiles": _OF_PEOPLE,
    "hands": _OF_PEOPLE,
    NOFACE: "half of each kind; the other half is held out",
    "pseudo": "of the file that --pseudo names",
}

_COUNTED = "Counted in the data folder of this evaluation: the run's own counts are not known."
_RECORDED = "Counts of training and validation are those in the record of the run."


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of part, data set, pictures and people in words, a note, and the names of files by part."""

    rows: tuple[tuple[str, str, str, str], ...]
    note: str
    names: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class LandmarkPictures:
    """Pictures with iBUG's points below a data folder, as the sets of a recipe select them.

    ``absent`` are sets of the recipe that are not there.
    """

    training: tuple[Picture, ...]
    validation: tuple[LabelledFace, ...]
    absent: tuple[str, ...]


def landmark_pictures(data: Path, sets: frozenset[str]) -> LandmarkPictures:
    """Read the pictures that a run on ``sets`` trains on, and those that validate it.

    ``sets`` is empty for the faces that all recipes read. Raises :class:`~train.errors.DataError` if 300-W is
    missing, and for a set that is there and cannot be read.
    """
    faces, validation = training_faces(data)
    there = {name for name, source in _SOURCES.items() if name in sets and (data / source).exists()}
    absent = sorted((sets & _SOURCES.keys()) - there) + (["pseudo"] if "pseudo" in sets else [])
    if "youtube" in there:
        faces += youtube_faces(data)
    if sets.intersection(HALF_LABELLED):
        faces = [face for face in faces if not is_held_out(face)]
        faces += half_faces(data, Side.TRAINING, there)
    pictures: list[Picture] = [face for face in faces if not sets or face.subset in sets]
    if NOFACE in there:
        pictures += faceless_pictures(data, Side.TRAINING)
    return LandmarkPictures(tuple(pictures), tuple(validation), tuple(absent))


def landmark_split(pictures: LandmarkPictures, recipe: Recipe, test: LabelledSet) -> Split:
    """Return the split of faces with iBUG's points; counts are the run's, if the ``recipe`` has them."""
    names = {"validation": tuple(face.image.name for face in pictures.validation)}
    names["test"] = tuple(image.name for image in test.images)
    recorded = _recorded(recipe)
    if recorded is None:
        counts: Mapping[str, int] = Counter(picture.subset for picture in pictures.training)
        validation, note = len(pictures.validation), _COUNTED
        if pictures.absent:
            note += f" Not there, or not known from there: {', '.join(map(_set, pictures.absent))}."
    else:
        (counts, validation), note = recorded, _RECORDED
        if validation != len(pictures.validation):
            del names["validation"]  # a run with --limit took some of them
    rows = [
        *(("training", _set(name), f"{count:,}", _KEPT.get(name, "")) for name, count in counts.items()),
        ("validation", "300-W (lfpw, helen, afw)", f"{validation:,}", _HASHED),
        *(
            ("test", f"{_set(s)}, test set", f"{count:,}", _TESTED)
            for s, count in Counter(test.subsets).items()
        ),
    ]
    return Split(tuple(rows), note, names)


def imm_split(shots: Sequence[Shot], recipe: Recipe, final: bool, others: int) -> Split:
    """Return the split of the IMM Face Database's ``shots``, by person.

    Without a record in ``recipe``, the run is taken to be ``final`` or not, and ``others`` is the number of
    300-W faces that it would train on.
    """
    recorded = _recorded(recipe)
    final = final if recorded is None else recorded[1] == 0
    people = range(TRAINING_PEOPLE.start, VALIDATION_PEOPLE.stop) if final else TRAINING_PEOPLE
    counted = {"imm": _count(shots, people)} | ({"300w": others} if others else {})
    counts, validation = recorded or (counted, _count(shots, VALIDATION_PEOPLE))
    rows = [
        ("training", _set(name), f"{count:,}", _people(people) if name == "imm" else "")
        for name, count in counts.items()
    ]
    if not final:
        rows.append(("validation", _set("imm"), f"{validation:,}", _people(VALIDATION_PEOPLE)))
    held = f"{_people(TEST_PEOPLE)}, not trained on"
    rows.append(("test", _set("imm"), f"{_count(shots, TEST_PEOPLE):,}", held))
    note = f"All shots of a person are in one part. {_COUNTED if recorded is None else _RECORDED}"
    if final:
        note += f" A final run (--final): {_people(VALIDATION_PEOPLE)} trained, too, and nobody validated it."
    return Split(tuple(rows), note, {})


def _recorded(recipe: Recipe) -> tuple[Mapping[str, int], int] | None:
    """Return the counts of training pictures by set, and of validation pictures, in the run's record."""
    data: Any = (recipe.record or {}).get("data")
    if not isinstance(data, Mapping) or not isinstance(data.get("validation"), int):
        return None
    training = data.get("training")
    if isinstance(training, int):
        return {"all": training}, data["validation"]
    if isinstance(training, Mapping) and all(isinstance(count, int) for count in training.values()):
        return training, data["validation"]
    return None


def _set(name: str) -> str:
    return _SETS.get(name, name)


def _count(shots: Sequence[Shot], people: range) -> int:
    return sum(shot.person in people for shot in shots)


def _people(people: range) -> str:
    return f"people {people.start}-{people.stop - 1}"
