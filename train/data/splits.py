"""Split of the faces into training, validation and test sets."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from train.data.faceless import NOFACE, FacelessPicture, faceless_side, read_faceless
from train.data.half_faces import read_hands, read_profiles
from train.data.readers import LabelledFace, read_pts_folder, read_youtube_csv
from train.data.sides import Side, person_side, photograph_side, wider_photograph
from train.errors import DataError

TRAIN_FOLDERS = {"lfpw": "lfpw/trainset", "helen": "helen/trainset", "afw": "afw"}
"""Official training folders of 300-W, below ``300w/`` or the data folder itself."""

TEST_FOLDERS = {"lfpw": "lfpw/testset", "helen": "helen/testset"}
"""The 300-W "common" test subset: for reporting, never for fitting or choosing anything."""

EXTRA_FOLDERS = {"wflw68": "wflw68/trainset"}
"""Additional training faces, used if they exist."""

HALF_LABELLED = ("profiles", "hands")
"""Data sets of the same people with 30 labelled points a face."""

TRAINING_PEOPLE = range(1, 29)
VALIDATION_PEOPLE = range(29, 33)
"""People on whom recipes are chosen and epochs are looked at; a final run trains on them, too."""

TEST_PEOPLE = range(33, 41)
"""People for reporting, never for fitting or choosing anything."""

IMM_PEOPLE = f"people {TEST_PEOPLE.start}-{TEST_PEOPLE.stop - 1}"
"""Name of the IMM Face Database's test subset: 8 people in 6 shots each."""

YOUTUBE = ("youtube_faces/training_frames_keypoints.csv", "youtube_faces/training")
"""Label file and image folder of the YouTube faces for pre-training.

The test part of that data set shows the same people, so it must not be used to judge a model pre-trained on
these.
"""

LEFT_OUT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "lfpw": frozenset(
            {
                *("image_0215", "image_0828", "image_0862"),  # copies of test images 0066, 0096 and 0007
                *("image_0043", "image_0176", "image_0192"),  # of validation images 0317, 0154 and 0163,
                *("image_0374", "image_0435", "image_0453", "image_0733"),  # 0376, 0439, 0426 and 0743,
                *("image_0413", "image_0415", "image_0445"),  # 0458,
                *("image_0601", "image_0617", "image_0622", "image_0623", "image_0631", "image_0635"),
                *("image_0639", "image_0647", "image_0648", "image_0651", "image_0658"),  # and all 0633
            }
        ),
        # Copies of validation images 2070105355_5 and 2185205964_1: two photographs have one face twice.
        "helen": frozenset({"2070105355_3", "2185205964_2"}),
    }
)
"""Training images that are never trained on, by subset and name without suffix.

Each shows the same photograph as a test or validation image, in another size, colours or frame, and would
make the score too good. Without this list ``train.data.leaks`` refuses the data for all of them but 0453,
0639 and 0733 of lfpw, which have text on them or other tones, so that only a person recognises them.
"""

_VALIDATION_SHARE = 16


def training_faces(data: Path) -> tuple[list[LabelledFace], list[LabelledFace]]:
    """Read training and validation faces below ``data``.

    Validation is about one 300-W training image in 16, chosen by a hash of its name, so that it stays the
    same on every machine and when faces are added. All faces of one photograph (afw numbers them ``_1``,
    ``_2``) are on the same side. Images of :data:`LEFT_OUT` are on neither.

    Raises :class:`DataError` if 300-W is missing.
    """
    official = [face for face in official_training_faces(data) if not _is_left_out(face)]
    validation = [face for face in official if _is_validation(face)]
    train = [face for face in official if not _is_validation(face)]
    extra = {name: folder for name, folder in EXTRA_FOLDERS.items() if (data / folder).is_dir()}
    return train + [face for face in _read_all(data, extra) if not _is_left_out(face)], validation


def youtube_faces(data: Path) -> list[LabelledFace]:
    """Read the YouTube faces for pre-training below ``data``.

    Raises :class:`DataError` if they are missing.
    """
    table, images = (data / path for path in YOUTUBE)
    return [face for face in read_youtube_csv(table, images) if not _is_left_out(face)]


def half_faces(data: Path, side: Side, sets: Collection[str] = HALF_LABELLED) -> list[LabelledFace]:
    """Read the half-labelled faces of one side below ``data``: CFP profiles, and faces behind hands.

    Raises :class:`DataError` if they are missing.
    """
    faces = read_profiles(data / "profiles") if "profiles" in sets else []
    faces += read_hands(data / "masked") if "hands" in sets else []
    return [face for face in faces if person_side(face.person) is side]


def faceless_pictures(data: Path, side: Side) -> list[FacelessPicture]:
    """Read the pictures without a face of one side below ``data``.

    Anime faces are on no side: whether a drawn face counts is left open. Raises :class:`DataError` if they
    are missing.
    """
    pictures = (picture for picture in read_faceless(data / NOFACE) if picture.kind != "anime")
    return [picture for picture in pictures if faceless_side(picture) is side]


def is_held_out(face: LabelledFace) -> bool:
    """Return True if ``face`` of ``wflw68`` is from a WIDER photograph that is held out."""
    if face.subset != "wflw68":
        return False
    return photograph_side(wider_photograph(face.image.stem)) is Side.HELD_OUT


def official_training_faces(data: Path) -> list[LabelledFace]:
    """Read all faces of 300-W's training folders below ``data``.

    Raises :class:`DataError` if they are missing.
    """
    return _read_all(root_300w(data), TRAIN_FOLDERS)


def test_faces(data: Path) -> list[LabelledFace]:
    """Read the 554 faces of the 300-W common test subset.

    Raises :class:`DataError` if they are missing.
    """
    return _read_all(root_300w(data), TEST_FOLDERS)


def root_300w(data: Path) -> Path:
    """Find the folder that holds ``afw``, ``helen`` and ``lfpw``.

    Raises :class:`DataError` if it is neither ``data`` nor its ``300w/``.
    """
    for root in (data / "300w", data):
        if (root / "lfpw").is_dir():
            return root
    raise DataError(f"{data}: neither it nor its 300w/ holds the 300-W folders afw, helen and lfpw")


def _read_all(root: Path, folders: dict[str, str]) -> list[LabelledFace]:
    return [face for name, folder in folders.items() for face in read_pts_folder(root / folder, name)]


def _is_left_out(face: LabelledFace) -> bool:
    return face.image.stem in LEFT_OUT.get(face.subset, ())


def _is_validation(face: LabelledFace) -> bool:
    photograph = face.image.stem.rpartition("_")[0] if face.subset == "afw" else face.image.stem
    return zlib.crc32(f"{face.subset}/{photograph}".encode()) % _VALIDATION_SHARE == 0
