from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.tiny import face_points, write_300w, write_face
from tests.train.data.test_head import seen
from train.data import splits
from train.data.half_faces import HALF_RIGHT
from train.data.readers import LabelledFace
from train.data.sides import Side
from train.data.tables import point_columns
from train.errors import DataError


def names(faces: Iterable[LabelledFace]) -> set[tuple[str, str]]:
    return {(face.subset, face.image.name) for face in faces}


def test_training_validation_and_test_share_no_image(tiny_300w: Path) -> None:
    training, validation = splits.training_faces(tiny_300w)
    test = splits.test_faces(tiny_300w)
    paths = [face.image for face in (*training, *validation, *test)]
    assert len(paths) == len(set(paths)) == 3 * 24 + 2 * 3
    assert not any("testset" in str(face.image) for face in (*training, *validation))
    assert all("testset" in str(face.image) for face in test)


def test_the_split_depends_on_names_only(tiny_300w: Path, tmp_path: Path) -> None:
    """A larger set in another folder puts the common images on the same sides."""
    larger = write_300w(tmp_path, train=40, test=1)
    small, large = splits.training_faces(tiny_300w), splits.training_faces(larger)
    assert names(small[0]) <= names(large[0])
    assert names(small[1]) <= names(large[1])
    assert names(large[1])


def test_faces_of_one_photograph_fall_on_one_side(tmp_path: Path) -> None:
    write_300w(tmp_path, train=1, test=1)
    for photograph in range(60):
        for face in (1, 2):
            write_face(tmp_path / "300w" / "afw", f"{photograph}_{face}", face_points())
    training, validation = splits.training_faces(tmp_path)
    sides = [
        {f.image.stem.partition("_")[0] for f in side if f.subset == "afw"} for side in (training, validation)
    ]
    assert not sides[0] & sides[1]
    assert sides[1]


def test_extra_faces_are_for_training_only(tiny_300w: Path, tmp_path: Path) -> None:
    write_300w(tmp_path, train=24, test=1)
    for i in range(40):
        write_face(tmp_path / "wflw68" / "trainset", f"w{i}", face_points())
    training, validation = splits.training_faces(tmp_path)
    assert sum(face.subset == "wflw68" for face in training) == 40
    assert names(validation) == names(splits.training_faces(tiny_300w)[1])


def test_copies_of_held_out_images_are_on_neither_side(tmp_path: Path) -> None:
    write_300w(tmp_path, train=1, test=1)
    for subset, stems in splits.LEFT_OUT.items():
        for stem in (*stems, "image_0001"):
            write_face(tmp_path / "300w" / subset / "trainset", stem, face_points())
    both = splits.training_faces(tmp_path)
    read = {face.image.stem for side in both for face in side}
    assert "image_0001" in read
    assert not read & {stem for left in splits.LEFT_OUT.values() for stem in left}
    assert len(splits.official_training_faces(tmp_path)) == 3 + sum(map(len, splits.LEFT_OUT.values())) + 2


def test_names_are_left_out_of_their_own_data_set_only(tmp_path: Path) -> None:
    write_300w(tmp_path, train=1, test=1)
    stem = min(splits.LEFT_OUT["lfpw"])
    write_face(tmp_path / "300w" / "helen" / "trainset", stem, face_points())
    assert ("helen", f"{stem}.jpg") in set.union(*map(names, splits.training_faces(tmp_path)))


def test_left_out_images_are_training_images() -> None:
    """Otherwise the copy, not the original, would have to be left out."""
    for subset, stems in splits.LEFT_OUT.items():
        faces = [LabelledFace(Path(f"{stem}.jpg"), face_points(), subset) for stem in stems]
        assert not any(map(splits._is_validation, faces))  # noqa: SLF001 - the rule itself, without its folders


def test_the_folders_may_lie_in_the_data_folder_itself(tiny_300w: Path) -> None:
    assert names(splits.test_faces(tiny_300w / "300w")) == names(splits.test_faces(tiny_300w))


def test_a_folder_without_300w_is_refused(tmp_path: Path) -> None:
    for read in (splits.training_faces, splits.test_faces):
        with pytest.raises(DataError, match="300-W folders"):
            read(tmp_path)


def test_a_tree_that_lacks_one_folder_is_refused(tmp_path: Path) -> None:
    write_face(tmp_path / "lfpw" / "trainset", "a", face_points())
    with pytest.raises(DataError, match=r"helen.trainset: no \.pts"):
        splits.training_faces(tmp_path)


def test_the_real_common_subset_is_complete_and_names_are_unique(data_dir: Path) -> None:
    faces = splits.test_faces(data_dir)
    counts = {subset: sum(face.subset == subset for face in faces) for subset in splits.TEST_FOLDERS}
    assert counts == {"lfpw": 224, "helen": 330}
    assert len({face.image.name for face in faces}) == 554


def test_the_real_validation_faces_are_a_sixteenth(data_dir: Path) -> None:
    training, validation = splits.training_faces(data_dir)
    official = [face for face in training if face.subset != "wflw68"]
    share = len(validation) / (len(official) + len(validation))
    deviation = np.sqrt(15 / 256 / (len(official) + len(validation)))
    assert abs(share - 1 / 16) < 4 * deviation


def test_half_labelled_faces_are_split_by_person(tmp_path: Path) -> None:
    names = [f"cfp_{person:03}_{shot:02}.jpg" for person in range(40) for shot in (1, 2)]
    write_halves(tmp_path / "profiles", "points30.csv", names)
    write_halves(tmp_path / "masked", "points30_half.csv", [f"hand_{name}" for name in names[::2]])
    people: dict[Side, set[str]] = {}
    for side in Side:
        faces = splits.half_faces(tmp_path, side)
        assert {face.subset for face in faces} <= {"profiles", "hands"}
        people[side] = {face.person for face in faces}
    assert sorted(person for some in people.values() for person in some) == [f"{n:03}" for n in range(40)]
    assert all(face.subset == "hands" for face in splits.half_faces(tmp_path, Side.TRAINING, ["hands"]))


def write_halves(folder: Path, name: str, files: list[str]) -> None:
    folder.mkdir()
    row = ",".join(f"{value:.1f}" for value in seen(60)[HALF_RIGHT].ravel())
    lines = [",".join(["file", "faces_image", *point_columns(30)])]
    for file in files:
        assert cv2.imwrite(str(folder / file), np.zeros((300, 300), np.uint8))
        lines.append(f"{file},right,{row}")
    (folder / name).write_text("\n".join(lines) + "\n")


def test_anime_faces_are_on_no_side_of_the_pictures_without_a_face(tmp_path: Path) -> None:
    folder = tmp_path / "noface"
    folder.mkdir()
    lines = ["file,kind,origin"]
    for number in range(60):
        kind = ("cat", "dog", "anime")[number % 3]
        assert cv2.imwrite(str(folder / f"{number}.png"), np.zeros((20, 20), np.uint8))
        lines.append(f"{number}.png,{kind},web")
    (folder / "files.csv").write_text("\n".join(lines) + "\n")
    sides = [splits.faceless_pictures(tmp_path, side) for side in Side]
    pictures = [picture.image.name for some in sides for picture in some]
    assert len(pictures) == len(set(pictures)) == 40
    assert {picture.kind for some in sides for picture in some} == {"cat", "dog"}


def test_wflw_faces_of_held_out_photographs_are_known() -> None:
    stems = [
        f"12_Group_Group_12_Group_Group_12_{photograph}_{face}" for photograph in range(99) for face in (0, 7)
    ]
    faces = [LabelledFace(Path(f"{stem}.jpg"), face_points(), "wflw68") for stem in stems]
    held = [splits.is_held_out(face) for face in faces]
    assert held[::2] == held[1::2]
    assert 0.1 < np.mean(held) < 0.6
    assert not splits.is_held_out(LabelledFace(faces[held.index(True)].image, face_points(), "afw"))
