"""Labels of one's own in every format, as a stranger's folder has them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.train.data.own_pictures import KITE, coco, imglab, kites, write_labels, write_pictures, write_table
from tracker.scheme.jd106 import JD106
from tracker.scheme.value import Scheme, plain_scheme
from train.data.label_folder import SUFFIXES, read_labelled
from train.errors import DataError

POINTS = kites(3)


def folder_of(tmp_path: Path, kind: str) -> Path:
    write_pictures(tmp_path, list(POINTS))
    write_labels(tmp_path, kind, POINTS)
    return tmp_path


@pytest.mark.parametrize("kind", SUFFIXES)
def test_all_formats_give_the_same_points(tmp_path: Path, kind: str) -> None:
    labelled = read_labelled(folder_of(tmp_path, kind), KITE)
    assert [face.image.name for face in labelled.faces] == list(POINTS)
    for face, points in zip(labelled.faces, POINTS.values(), strict=True):
        np.testing.assert_allclose(face.points, points, atol=1e-6)
    assert labelled.notes == []


@pytest.mark.parametrize("kind", [".xml", ".json", ".csv"])
def test_one_file_of_labels_can_be_named(tmp_path: Path, kind: str) -> None:
    folder = folder_of(tmp_path, kind)
    (folder / "more.csv").write_text("a,b\n")
    (folder / "other.pts").write_text("")
    assert len(read_labelled(folder / f"labels{kind}", KITE).faces) == 3


def test_pictures_in_folders_below_are_found(tmp_path: Path) -> None:
    points = {f"{folder}/{name}": one for folder in "ab" for name, one in POINTS.items()}
    write_pictures(tmp_path, list(points))
    write_labels(tmp_path, ".pts", points)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.pts").write_text("")
    (tmp_path / "a" / "._00-0m.pts").write_bytes(b"\0")
    names = [str(face.image.relative_to(tmp_path)) for face in read_labelled(tmp_path, KITE).faces]
    assert names == list(points)


def test_points_of_a_table_may_have_names_and_other_columns(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ".csv")
    header, *rows = (folder / "labels.csv").read_text().splitlines()
    names = [f"{name}_{axis}" for name in KITE.names for axis in "xy"]
    (folder / "labels.csv").write_text(
        "\n".join([",".join(["file", *names, "note"]), *(f"{r},x" for r in rows)])
    )
    for face, points in zip(read_labelled(folder, KITE).faces, POINTS.values(), strict=True):
        np.testing.assert_array_equal(face.points, points)
    assert header.startswith("file,x0,y0")


def test_labels_that_lack_a_point_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ".json")
    content = coco(POINTS)
    annotations = content["annotations"]
    assert isinstance(annotations, list)
    annotations[1]["keypoints"][2] = 0
    annotations.append({"image_id": 0, "keypoints": [], "iscrowd": 1})
    (folder / "labels.json").write_text(json.dumps(content))
    labelled = read_labelled(folder, KITE)
    assert [face.image.name for face in labelled.faces] == list(POINTS)[::2]
    assert labelled.notes == [
        "labels that lack a point or have other ones, and are left out: 2",
        "pictures without a label that is used: 1",
    ]

    (folder / "labels.json").unlink()
    write_table(folder / "labels.csv", POINTS)
    text = (folder / "labels.csv").read_text().splitlines()
    text[1] = ",".join([*text[1].split(",")[:-1], ""])
    (folder / "labels.csv").write_text("\n".join(text))
    assert read_labelled(folder, KITE).left_out == 1


def test_categories_with_other_keypoints_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ".json")
    content = coco(POINTS)
    annotations, categories = content["annotations"], content["categories"]
    assert isinstance(annotations, list)
    assert isinstance(categories, list)
    categories.insert(0, {"id": 7, "name": "person", "keypoints": ["head", "foot"]})
    categories.insert(0, {"id": 8, "name": "box"})
    annotations.append({"image_id": 0, "category_id": 7, "keypoints": [1, 2, 2] * 2})
    (folder / "labels.json").write_text(json.dumps(content))
    labelled = read_labelled(folder, KITE)
    for face, points in zip(labelled.faces, POINTS.values(), strict=True):
        np.testing.assert_allclose(face.points, points)
    assert labelled.left_out == 1
    (folder / "labels.json").write_text(json.dumps(content | {"categories": categories[:2]}))
    with pytest.raises(DataError, match=r"other points than the category's keypoints \['head', 'foot'\]"):
        read_labelled(folder, KITE)


def test_of_several_categories_with_as_many_keypoints_the_schemes_names_choose(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ".json")
    content = coco(POINTS)
    categories = content["categories"]
    assert isinstance(categories, list)
    categories.append({"id": 7, "name": "sign", "keypoints": list("abcde")})
    (folder / "labels.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"points a, b, c, d, e and .*: give the scheme the names of one"):
        read_labelled(folder, plain_scheme("kite", 5))
    assert len(read_labelled(folder, KITE).faces) == len(POINTS)


def test_pictures_that_are_stored_turned_are_told(tmp_path: Path) -> None:
    points = {"a.jpg": POINTS["00-0m.png"]}
    write_pictures(tmp_path, list(points))
    write_table(tmp_path / "labels.csv", points)
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(tmp_path / "a.jpg") as image:
        image.save(tmp_path / "a.jpg", exif=exif)
    (note,) = read_labelled(tmp_path, KITE).notes
    assert "pictures that are stored turned (EXIF): 1;" in note


def test_pictures_without_a_label_are_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ".pts")
    first = next(iter(POINTS))
    (folder / first).with_suffix(".pts").unlink()
    assert read_labelled(folder, KITE).notes == ["pictures without a label that is used: 1"]


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "it is empty; copy it"), (None, "the image cannot be read")]
)
def test_a_picture_that_cannot_be_read_is_told_without_numbers(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    folder = folder_of(tmp_path, ".pts")
    picture = folder / next(iter(POINTS))
    picture.unlink()
    picture.mkdir() if content is None else picture.write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        read_labelled(folder, KITE)
    assert str(caught.value).count(str(picture)) == 1
    assert "Errno" not in str(caught.value)


@pytest.mark.parametrize("kind", SUFFIXES)
def test_labels_of_another_number_of_points_are_refused(tmp_path: Path, kind: str) -> None:
    folder = folder_of(tmp_path, kind)
    for count in (4, 6):
        with pytest.raises(DataError, match=f"{kind}|labels") as caught:
            read_labelled(folder, plain_scheme("other", count))
        assert "\n" not in str(caught.value)


def test_a_folder_without_labels_with_two_kinds_or_with_two_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no labels there \(\.pts, \.asf, \.xml, \.json, \.csv\)"):
        read_labelled(tmp_path, KITE)
    with pytest.raises(DataError, match="no such folder"):
        read_labelled(tmp_path / "nowhere", KITE)
    folder = folder_of(tmp_path, ".csv")
    (folder / "more.csv").write_text("")
    with pytest.raises(
        DataError, match=r"labels\.csv and more\.csv: name \S+labels\.csv instead, or move away"
    ):
        read_labelled(folder, KITE)
    (folder / "more.csv").unlink()
    write_labels(folder, ".pts", POINTS)
    with pytest.raises(DataError, match=r"00-0m\.pts and labels\.csv: name .*labels\.csv instead, or"):
        read_labelled(folder, KITE)
    (folder / "labels.csv").unlink()
    write_labels(folder, ".asf", POINTS)
    with pytest.raises(DataError, match=r"holds both 00-0m\.\w+ and 00-0m\.\w+: move away"):
        read_labelled(folder, KITE)
    with pytest.raises(DataError, match=r"expected a folder, or a label file"):
        read_labelled(folder / "00-0m.pts", KITE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": 3}, r"expected images, a list of objects with id and file_name"),
        ({"annotations": [{"image_id": 9, "keypoints": [1, 2, 2] * 5}]}, "there is no image 9"),
        ({"annotations": [{"image_id": 0, "keypoints": [1, 2, 2]}]}, "expected 15 numbers"),
        ({"annotations": []}, "no annotation with all of its 5 points"),
        ({"categories": [{"id": 1, "keypoints": list("abcde")}]}, "has no point 'a'"),
        ({"categories": [{"id": 1, "keypoints": [KITE.names[0], *KITE.names[:4]]}]}, "appears twice"),
        (
            {"annotations": [{"image_id": 0, "category_id": [1], "keypoints": [1, 2, 2] * 5}]},
            "expected the id of a category",
        ),
        (
            {"images": [{"id": i, "file_name": n, "width": 9, "height": 9} for i, n in enumerate(POINTS)]},
            "9x9",
        ),
        ({"images": [{"id": i, "file_name": "../x.png"} for i in range(3)]}, "does not lie in"),
    ],
)
def test_coco_files_that_deviate_are_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    folder = folder_of(tmp_path, ".json")
    (folder / "labels.json").write_text(json.dumps(coco(POINTS) | change))
    with pytest.raises(DataError, match=message) as caught:
        read_labelled(folder, KITE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"images": [{"id": 1}]}', "[" * 100_000])
def test_files_that_are_no_coco_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(DataError, match=r"labels\.json"):
        read_labelled(tmp_path, KITE)


def test_parts_of_imglab_by_unknown_or_repeated_names_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, list(POINTS))
    for before, after in (('name="tail"', 'name="tip"'), ('name="tail"', 'name="00"')):
        (tmp_path / "labels.xml").write_text(imglab(POINTS).replace(before, after))
        with pytest.raises(DataError, match="expected parts 00 to 04 once each"):
            read_labelled(tmp_path, KITE)


def test_parts_of_imglab_by_names_that_are_numbers_of_others_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, list(POINTS))
    order = (2, 0, 1, 4, 3)
    names = tuple(f"{number:02d}" for number in order)
    text = imglab(POINTS)
    for name, number in zip(KITE.names, names, strict=True):
        text = text.replace(f'name="{name}"', f'name="{number}"')
    (tmp_path / "labels.xml").write_text(text)
    with pytest.raises(DataError, match=r"calls point 0 '02', which is the number of another"):
        read_labelled(tmp_path, Scheme("kite", 5, names=names))
    by_number = read_labelled(tmp_path, plain_scheme("kite", 5)).faces[0].points
    np.testing.assert_allclose(by_number[list(order)], next(iter(POINTS.values())))
    named = Scheme("kite", 5, names=tuple(f"{number:02d}" for number in range(5)))
    np.testing.assert_array_equal(read_labelled(tmp_path, named).faces[0].points, by_number)


def test_parts_of_more_than_a_hundred_points_have_three_digits(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["a.png"])
    points = np.random.default_rng(0).uniform(5, 30, (JD106.n_points, 2)).round()
    parts = "".join(f'<part name="{i:03d}" x="{x}" y="{y}"/>' for i, (x, y) in enumerate(points))
    text = f'<dataset><images><image file="a.png"><box>{parts}</box></image></images></dataset>'
    (tmp_path / "labels.xml").write_text(text)
    (face,) = read_labelled(tmp_path, JD106).faces
    np.testing.assert_array_equal(face.points, points)


def test_the_picture_is_that_of_the_file_not_of_its_suffix(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ".csv")
    first = next(iter(POINTS))
    (folder / first).write_bytes(b"not a picture")
    with pytest.raises(DataError, match=f"{first}.*cannot be read"):
        read_labelled(folder, KITE)
    assert cv2.imread(str(folder / first)) is None
