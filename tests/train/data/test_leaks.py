import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.tiny import HW, face_points
from tests.train.data.photographs import TRAINING, photograph, write_photograph, write_sets
from tracker.geometry import mirror_points
from train.data import phash, splits
from train.data.leaks import (
    Leak,
    LeakError,
    check_leaks,
    find_leaks,
    fingerprint,
    present_test_faces,
    refuse_leaks,
)
from train.data.readers import LabelledFace, read_imm_folder, read_pts_folder
from train.errors import DataError, TrainError


@pytest.fixture
def training(tmp_path: Path) -> list[LabelledFace]:
    return [write_photograph(tmp_path / "train" / f"image_{i:04d}.jpg", photograph(i)) for i in range(6)]


@pytest.fixture
def held_out(tmp_path: Path) -> list[LabelledFace]:
    return [write_photograph(tmp_path / "test" / f"image_{i:04d}.jpg", photograph(100 + i)) for i in range(4)]


def kinds(found: Iterable[Leak]) -> list[str]:
    return [leak.kind for leak in found]


def test_equal_file_names_in_lfpw_are_no_leak(
    training: list[LabelledFace], held_out: list[LabelledFace]
) -> None:
    """The training and test set of lfpw both count from image_0001."""
    assert training[0].image.name == held_out[0].image.name
    assert check_leaks(training, held_out) == ()
    refuse_leaks(training, held_out)


def test_a_test_file_in_the_training_list_is_a_leak(
    training: list[LabelledFace], held_out: list[LabelledFace], tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "test")
    same = LabelledFace(tmp_path / "link" / held_out[2].image.name, held_out[2].points, "other")
    (found,) = check_leaks([*training, same], held_out)
    assert (found.kind, found.training, found.held_out) == ("same image", same.image, held_out[2].image)


def test_a_copied_file_with_another_name_and_points_is_a_leak(
    training: list[LabelledFace], held_out: list[LabelledFace], tmp_path: Path
) -> None:
    copy = tmp_path / "train" / "renamed.jpg"
    shutil.copy(held_out[1].image, copy)
    elsewhere = LabelledFace(copy, face_points((80, 90), 60), "afw")
    (found,) = check_leaks([elsewhere, *training], held_out)
    assert (found.kind, found.training, found.held_out) == ("same image", copy, held_out[1].image)


@pytest.mark.parametrize(("subset", "other", "leaks_found"), [("helen", "helen", 1), ("helen", "afw", 0)])
def test_unique_names_identify_photographs(
    training: list[LabelledFace], tmp_path: Path, subset: str, other: str, leaks_found: int
) -> None:
    ours = write_photograph(tmp_path / "a" / "296814969_3.jpg", photograph(50), subset=subset)
    theirs = write_photograph(tmp_path / "b" / "296814969_3.jpg", photograph(51), subset=other)
    assert kinds(check_leaks([*training, ours], [theirs])) == ["same name"] * leaks_found


@pytest.mark.parametrize(
    ("ours", "theirs", "leaks_found"),
    [(("imm", "3"), ("imm", "3"), 1), (("imm", "3"), ("youtube", "3"), 0), (("imm", ""), ("imm", ""), 0)],
)
def test_one_person_of_one_data_set_is_a_leak(
    tmp_path: Path, ours: tuple[str, str], theirs: tuple[str, str], leaks_found: int
) -> None:
    first = write_photograph(tmp_path / "a.jpg", photograph(1), None, *ours)
    second = write_photograph(tmp_path / "b.jpg", photograph(2), None, *theirs)
    assert kinds(check_leaks([first], [second])) == ["same person"] * leaks_found


def test_a_cropped_and_shrunk_copy_is_a_leak(training: list[LabelledFace], tmp_path: Path) -> None:
    image, points = photograph(0), face_points()
    cut, scale = image[20:, 30:], 0.6
    small = np.asarray(cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    moved = (points - (30, 20) + 0.5) * scale - 0.5
    copy = write_photograph(tmp_path / "copy.jpg", small, moved, "helen")
    (found,) = check_leaks(training, [copy])
    assert (found.kind, found.training, found.held_out) == ("near-copy", training[0].image, copy.image)


def test_a_turned_copy_is_a_leak(training: list[LabelledFace], tmp_path: Path) -> None:
    turn = cv2.getRotationMatrix2D((160, 120), 20, 1)
    points = face_points() @ turn[:, :2].T + turn[:, 2]
    turned = cv2.warpAffine(photograph(3), turn, HW[::-1])
    copy = write_photograph(tmp_path / "copy.jpg", np.asarray(turned, np.uint8), points)
    assert kinds(check_leaks(training, [copy])) == ["near-copy"]


def test_a_mirrored_copy_is_a_leak(training: list[LabelledFace], tmp_path: Path) -> None:
    points = face_points((150, 110))  # not in the middle of the image, so the crop moves as well
    original = write_photograph(tmp_path / "original.jpg", photograph(4), points)
    mirrored = np.ascontiguousarray(photograph(4)[:, ::-1])
    copy = write_photograph(tmp_path / "copy.png", mirrored, mirror_points(points, HW[1]))
    assert kinds(check_leaks([*training[:4], original], [copy])) == ["mirrored near-copy"]


def test_a_training_image_is_reported_once_with_the_most_evident_kind(
    training: list[LabelledFace], held_out: list[LabelledFace]
) -> None:
    doubled = [*held_out, *held_out]
    assert kinds(check_leaks([*training, held_out[0]], doubled)) == ["same image"]


def test_validation_is_checked_on_both_sides(
    training: list[LabelledFace], held_out: list[LabelledFace]
) -> None:
    (found,) = check_leaks(training, held_out, validation=[training[2]])
    assert found.held_out == training[2].image
    (found,) = check_leaks(training, held_out, validation=[held_out[3]])
    assert (found.training, found.held_out) == (held_out[3].image, held_out[3].image)


def test_every_image_is_reported_once_as_it_is_read(
    training: list[LabelledFace], held_out: list[LabelledFace]
) -> None:
    read = []
    check_leaks(training, held_out[:2], lambda: read.append(1), validation=held_out[2:])
    assert len(read) == len(training) + len(held_out)


def test_the_error_is_one_line_with_the_first_leaks_their_number_and_a_remedy(
    training: list[LabelledFace],
) -> None:
    with pytest.raises(LeakError, match=r", 6 in all: .*; and 3 more; take them out") as caught:
        refuse_leaks(training, training)
    message = str(caught.value)
    assert isinstance(caught.value, TrainError)
    assert "\n" not in message
    named = [str(face.image) in message for face in training]
    assert named == [True] * 3 + [False] * 3
    with pytest.raises(LeakError, match=", 1 in all") as caught:
        refuse_leaks(training[:1], training)
    assert "more" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_an_image_that_cannot_be_read_is_named(
    training: list[LabelledFace], tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "broken.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.jpg: (not an image|cannot be read)"):
        check_leaks([LabelledFace(path, face_points(), "lfpw")], training)


def test_fingerprints_work_without_68_points(tmp_path: Path) -> None:
    """By person, and by the appearance of the whole picture, as for the models with fewer points."""
    people = [(1, 10), (2, 11), (3, 12), (3, 13), (4, 11)]
    paths = [tmp_path / f"{i}.png" for i in range(len(people))]
    for path, (_, seed) in zip(paths, people, strict=True):
        cv2.imwrite(str(path), photograph(seed))
    prints = [fingerprint(p, "imm", str(person)) for p, (person, _) in zip(paths, people, strict=True)]
    found = find_leaks(prints[:3], prints[3:])
    assert [(leak.kind, leak.training) for leak in found] == [
        ("same image", paths[1]),
        ("same person", paths[2]),
    ]


def test_missing_test_folders_are_named_and_the_others_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_sets(tmp_path, (*TRAINING, "helen/testset"))
    with caplog.at_level(logging.WARNING):
        faces = present_test_faces(root)
    assert [face.subset for face in faces] == ["helen"]
    (record,) = caplog.records
    assert str(root / "lfpw" / "testset") in record.getMessage()
    assert "helen" not in record.getMessage().replace(str(root), "")


def test_complete_test_folders_are_read_without_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_sets(tmp_path, (*TRAINING, "helen/testset", "lfpw/testset"))
    assert [face.image for face in present_test_faces(root)] == [f.image for f in splits.test_faces(root)]
    assert not caplog.records


def test_a_test_folder_without_labels_is_refused(tmp_path: Path) -> None:
    root = write_sets(tmp_path, TRAINING)
    (root / "lfpw" / "testset").mkdir()
    with pytest.raises(DataError, match=r"testset: no \.pts"):
        present_test_faces(root)


def test_missing_test_faces_are_logged(
    training: list[LabelledFace], caplog: pytest.LogCaptureFixture
) -> None:
    refuse_leaks(training, [])
    assert "no test faces" in caplog.text


@pytest.mark.slow
def test_the_real_split_has_no_leak_even_at_a_lower_threshold(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phash, "MIN_CORRELATION", 0.7)
    training, validation = splits.training_faces(data_dir)
    assert check_leaks(training, present_test_faces(data_dir), validation=validation) == ()


@pytest.fixture
def left_out(data_dir: Path) -> list[LabelledFace]:
    official = splits.official_training_faces(data_dir)
    faces = [face for face in official if face.image.stem in splits.LEFT_OUT.get(face.subset, ())]
    assert len(faces) == sum(map(len, splits.LEFT_OUT.values()))
    return faces


COPIES_OF_TEST = {"image_0215": "image_0066", "image_0828": "image_0096", "image_0862": "image_0007"}


@pytest.mark.slow
def test_the_real_copies_of_test_images_are_found_even_at_a_higher_threshold(
    data_dir: Path, left_out: list[LabelledFace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phash, "MIN_CORRELATION", 0.9)
    found = check_leaks(left_out, splits.test_faces(data_dir))
    assert {leak.training.stem: leak.held_out.stem for leak in found} == COPIES_OF_TEST


@pytest.mark.slow
def test_the_real_copies_of_validation_images_are_found(
    data_dir: Path, left_out: list[LabelledFace], caplog: pytest.LogCaptureFixture
) -> None:
    """All but those that were altered so much that only a person recognises them."""
    found = check_leaks(left_out, [], validation=splits.training_faces(data_dir)[1])
    by_eye = {"image_0453", "image_0639", "image_0733"}
    copies = {face.image.stem for face in left_out} - set(COPIES_OF_TEST) - by_eye
    assert {leak.training.stem for leak in found} == copies
    assert "no test faces" in caplog.text


@pytest.mark.slow
def test_the_real_training_folders_fail_without_the_exclusion(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splits, "LEFT_OUT", {})
    training, _ = splits.training_faces(data_dir)
    few = [face for face in training if face.subset == "lfpw"]
    with pytest.raises(LeakError, match=", 3 in all"):
        refuse_leaks(few, read_pts_folder(splits.root_300w(data_dir) / "lfpw/testset", "lfpw"))


def test_the_real_studio_portraits_split_by_person_without_leak(data_dir: Path) -> None:
    shots = read_imm_folder(data_dir / "imm_face_db")
    prints = [fingerprint(shot.image, "imm", str(shot.person)) for shot in shots]
    training, validation = prints[: 32 * 6], prints[32 * 6 :]
    assert {one.person for one in training} == {str(i) for i in range(1, 33)}
    assert find_leaks(training, validation) == ()
    assert kinds(find_leaks(training, prints[32 * 6 - 1 :])) == ["same person"] * 5 + ["same image"]
