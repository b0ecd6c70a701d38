"""Labelled pictures of one's own, in a folder or label file of any known format."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tracker.scheme.value import Scheme
from train.data.asf import read_asf_points
from train.data.coco import read_coco
from train.data.dlib_xml import read_dlib_xml
from train.data.faces import IMAGE_SUFFIXES, LabelledFace, check_once
from train.data.image_size import is_turned
from train.data.point_table import read_point_table
from train.data.pts import read_pts_folder
from train.errors import DataError

OWN = "own"
"""Data set of all faces that are read here."""

_Read = tuple[list[LabelledFace], int]

_PER_PICTURE = (".pts", ".asf")
_TABLES: dict[str, Callable[[Path, str, Scheme], _Read]] = {
    ".xml": lambda path, subset, scheme: (read_dlib_xml(path, subset, scheme), 0),
    ".json": read_coco,
    ".csv": read_point_table,
}
SUFFIXES = (*_PER_PICTURE, *_TABLES)
"""Suffixes of label files: iBUG, AAM-API, dlib's imglab, COCO keypoints, table."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Faces of a folder or label file, and the number of those that were ``left_out``: not fully labelled.

    ``turned`` counts the pictures that are stored turned by EXIF data; their labels are taken as pixels of
    the stored picture. ``unlabelled`` counts the pictures of the folder without a label that is used.
    """

    faces: list[LabelledFace]
    left_out: int
    turned: int
    unlabelled: int = 0

    @property
    def notes(self) -> list[str]:
        """What the user is to know, a line each."""
        notes = []
        if self.left_out:
            notes.append(f"labels that lack a point or have other ones, and are left out: {self.left_out}")
        if self.unlabelled:
            notes.append(f"pictures without a label that is used: {self.unlabelled}")
        if self.turned:
            notes.append(
                f"pictures that are stored turned (EXIF): {self.turned}; their labels are taken as pixels of "
                "the stored picture, not of the upright one: samples-plain.png shows whether that is right"
            )
        return notes


def is_source(path: Path) -> bool:
    """Return whether ``path`` is a folder, or by its name a file with labels of many pictures."""
    return path.is_dir() or path.suffix.lower() in _TABLES


def read_labelled(source: Path, scheme: Scheme) -> Labelled:
    """Read all labelled pictures of ``source``, a folder or a label file, sorted by path.

    A folder has labels beside its pictures, here or in folders below (``.pts``, ``.asf``), or one file with
    all of them (``.xml``, ``.json``, ``.csv``). Files and folders whose names begin with a dot are skipped.

    Raises :class:`DataError` if ``source`` has no labels, or of several formats, or if they are not those of
    ``scheme``, as the reader of the format does.
    """
    faces, left_out = _read(_label_file(source), source, scheme)
    faces = sorted(faces, key=lambda face: str(face.image))
    pictures = {face.image for face in faces}
    turned = sum(map(is_turned, pictures))
    return Labelled(faces, left_out, turned, _unlabelled(source, pictures))


def _unlabelled(source: Path, labelled: set[Path]) -> int:
    """Return how many pictures of a folder are not ``labelled``; 0 for a file, whose folder may hold more."""
    if not source.is_dir():
        return 0
    there = {path for path in _visible(source) if path.suffix.lower() in IMAGE_SUFFIXES}
    return len(there - labelled)


def _label_file(source: Path) -> Path:
    """Return the file with all labels of ``source``, or one of its files for a single picture."""
    if source.is_file():
        return source
    if not source.is_dir():
        raise DataError(f"{source}: no such folder or label file")
    found: dict[str, list[Path]] = {}
    for path in _visible(source):
        suffix = path.suffix.lower()
        if suffix in _PER_PICTURE or (suffix in _TABLES and path.parent == source):
            found.setdefault(suffix, []).append(path)
    if not found:
        known = ", ".join(SUFFIXES)
        raise DataError(f"{source}: no labels there ({known}); docs/own-points.md shows the formats")
    several = next((paths for suffix, paths in found.items() if suffix in _TABLES and len(paths) > 1), None)
    if len(found) > 1 or several:
        first, second = several[:2] if several else [paths[0] for paths in found.values()][:2]
        tables = [path for path in (first, second) if path.suffix.lower() in _TABLES]
        remedy = f"name {shlex.quote(str(tables[0]))} instead, or " if tables else ""
        raise DataError(
            f"{source} holds both {first.name} and {second.name}: {remedy}move away those that do not count"
        )
    return next(iter(found.values()))[0]


def _visible(folder: Path) -> list[Path]:
    paths = (path.relative_to(folder) for path in folder.rglob("*"))
    return sorted(folder / path for path in paths if not any(part.startswith(".") for part in path.parts))


def _read(label: Path, source: Path, scheme: Scheme) -> _Read:
    suffix = label.suffix.lower()
    if suffix in _TABLES:
        return _TABLES[suffix](label, OWN, scheme)
    if source.is_file() or suffix not in _PER_PICTURE:
        raise DataError(f"{source}: expected a folder, or a label file {', '.join(_TABLES)}")
    labels = [path for path in _visible(source) if path.suffix.lower() == suffix]
    if suffix == ".pts":
        folders = sorted({path.parent for path in labels})
        return [f for folder in folders for f in read_pts_folder(folder, OWN, scheme.n_points)], 0
    return _read_asf(labels, scheme), 0


def _read_asf(labels: list[Path], scheme: Scheme) -> list[LabelledFace]:
    faces, seen = [], dict[object, str]()
    for label in labels:
        image, points = read_asf_points(label, scheme.n_points)
        check_once(str(label), image, seen)
        faces.append(LabelledFace(image, points, OWN))
    return faces
