"""Which faces train, which validate, and which are kept for reporting only."""

from __future__ import annotations

import zlib
from pathlib import Path

from train.data.readers import LabelledFace, read_pts_folder
from train.errors import DataError

TRAIN_FOLDERS = {"lfpw": "lfpw/trainset", "helen": "helen/trainset", "afw": "afw"}
"""300-W's official training folders, below ``300w/`` or the data folder itself."""

TEST_FOLDERS = {"lfpw": "lfpw/testset", "helen": "helen/testset"}
"""The 300-W "common" test subset: for reporting, never for fitting or choosing anything."""

EXTRA_FOLDERS = {"wflw68": "wflw68/trainset"}
"""Further training faces, used where they are there."""

_VALIDATION_SHARE = 16


def training_faces(data: Path) -> tuple[list[LabelledFace], list[LabelledFace]]:
    """Training and validation faces below ``data``.

    Validation is about one 300-W training image in 16, chosen by a hash of its name, so that it
    stays the same on every machine and when faces are added. All faces of one photograph (afw
    numbers them ``_1``, ``_2``) fall on the same side.

    Raises :class:`DataError` if 300-W is not there.
    """
    official = official_training_faces(data)
    validation = [face for face in official if _is_validation(face)]
    train = [face for face in official if not _is_validation(face)]
    extra = {name: folder for name, folder in EXTRA_FOLDERS.items() if (data / folder).is_dir()}
    return train + _read_all(data, extra), validation


def official_training_faces(data: Path) -> list[LabelledFace]:
    """All faces of 300-W's training folders below ``data``. Raises :class:`DataError` if not there."""
    return _read_all(root_300w(data), TRAIN_FOLDERS)


def test_faces(data: Path) -> list[LabelledFace]:
    """The 554 faces of the 300-W common test subset. Raises :class:`DataError` if not there."""
    return _read_all(root_300w(data), TEST_FOLDERS)


def root_300w(data: Path) -> Path:
    """The folder that holds ``afw``, ``helen`` and ``lfpw``."""
    for root in (data / "300w", data):
        if (root / "lfpw").is_dir():
            return root
    raise DataError(f"{data}: neither it nor its 300w/ holds the 300-W folders afw, helen and lfpw")


def _read_all(root: Path, folders: dict[str, str]) -> list[LabelledFace]:
    return [face for name, folder in folders.items() for face in read_pts_folder(root / folder, name)]


def _is_validation(face: LabelledFace) -> bool:
    photograph = face.image.stem.rpartition("_")[0] if face.subset == "afw" else face.image.stem
    return zlib.crc32(f"{face.subset}/{photograph}".encode()) % _VALIDATION_SHARE == 0
