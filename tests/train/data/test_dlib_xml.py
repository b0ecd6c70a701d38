from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.tiny import face_points, write_face
from tracker.types import FloatArray
from train.data.dlib_xml import read_dlib_xml
from train.data.pts import read_pts
from train.errors import DataError

HEAD = "<?xml version='1.0' encoding='ISO-8859-1'?>\n<dataset>\n<name>caf\xe9</name>\n<images>\n"


def write_xml(
    folder: Path, faces: Sequence[tuple[str, FloatArray]], shuffle: np.random.Generator | None = None
) -> Path:
    """Write image names and points, each element on its own line, as dlib does."""
    lines = []
    for name, points in faces:
        parts = [f"<part name='{i:02d}' x='{x}' y='{y}'/>" for i, (x, y) in enumerate(points)]
        if shuffle is not None:
            shuffle.shuffle(parts)
        box = "<box top='1' left='2' width='3' height='4'>"
        lines += [f"<image file='{name}'>", box, *parts, "</box>", "</image>"]
    path = folder / "labels.xml"
    path.write_text(HEAD + "\n".join(lines) + "\n</images>\n</dataset>\n", encoding="latin-1")
    return path


def test_parts_are_sorted_by_name_and_zero_based(tmp_path: Path) -> None:
    points = face_points()
    write_face(tmp_path, "a", points)
    (face,) = read_dlib_xml(write_xml(tmp_path, [("a.jpg", points)], np.random.default_rng(1)), "lfpw")
    assert np.array_equal(face.points, points)
    assert (face.image, face.subset, face.person) == (tmp_path / "a.jpg", "lfpw", "")


def test_an_image_may_hold_several_boxes_and_ignored_ones_are_left_out(tmp_path: Path) -> None:
    write_face(tmp_path, "a", face_points())
    path = write_xml(tmp_path, [("a.jpg", face_points()), ("b.jpg", face_points((100, 100)))])
    text = path.read_text(encoding="latin-1").replace("</image>\n<image file='b.jpg'>\n", "")
    ignored = "<box top='1' left='1' width='9' height='9' ignore='1'/>\n</image>"
    path.write_text(text.replace("</image>", ignored), encoding="latin-1")
    faces = read_dlib_xml(path, "x")
    assert np.array_equal(faces[0].points, face_points())
    assert np.array_equal(faces[1].points, face_points((100, 100)))
    assert len(faces) == 2


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("name='05'", "name='04'", r"labels\.xml:12: expected parts 00 to 67 once each, got name='04'"),
        ("name='67'", "name='68'", r"labels\.xml:74: expected parts 00 to 67 once each, got name='68'"),
        ("name='67'", "n='67'", r"labels\.xml:74: expected parts 00 to 67 once each, got name=None"),
        ("<part name='30'", "<dart name='30'", r"labels\.xml:6: expected 68 parts, got 67; 30 is missing"),
        (" x='", " x='?", r"labels\.xml:7: expected a finite number up to 1000000, got '\?"),
        (" y='", " z='", r"labels\.xml:7: expected a finite number up to 1000000, got ''"),
        (" y='", " y='nan' z='", r"labels\.xml:7: expected a finite number"),
        (" x='", " x='9000' z='", r"labels\.xml:7: point 0 at \(9000, .* lies far outside"),
        ("a.jpg", "b.jpg", r"labels\.xml:5: the image .*b\.jpg' is missing"),
        ("a.jpg", "b" * 300, r"labels\.xml:5: the image .*b' is missing"),
        ("a.jpg", ".", r"labels\.xml:5: the image .* is missing"),
        ("file=", "path=", r"labels\.xml:5: an <image> without file="),
        ("a.jpg", "", r"labels\.xml:5: an <image> without file="),
        ("</box>", "", r"labels\.xml:76: cannot be read: mismatched tag"),
        ("box", "bow", r"labels\.xml: no <box>"),
        ("ISO-8859-1", "no-such-code", r"labels\.xml(:1)?: cannot be read: .*unknown encoding"),
        ("ISO-8859-1", "UTF-8", r"labels\.xml:3: cannot be read: not well-formed"),
        ("<dataset>", "<!DOCTYPE dataset [<!ENTITY a 'b'>]><dataset>", r"labels\.xml:2: declares an entity"),
    ],
)
def test_broken_dlib_xml_is_refused_with_file_and_line_of_the_element(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    write_face(tmp_path, "a", face_points())
    path = write_xml(tmp_path, [("a.jpg", face_points())])
    text = path.read_text(encoding="latin-1")
    everywhere = old == "box"
    text = text.replace(old, new) if everywhere else text.replace(old, new, 1)
    path.write_text(text.replace("<dart name='30'", "<dart n='30'"), encoding="latin-1")
    with pytest.raises(DataError, match=expected):
        read_dlib_xml(path, "lfpw")


def test_an_image_listed_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    write_face(tmp_path, "a", face_points())
    path = write_xml(tmp_path, [("a.jpg", face_points())] * 2)
    with pytest.raises(DataError, match=r"labels\.xml:77: the same face as at .*labels\.xml:5;"):
        read_dlib_xml(path, "x")


@pytest.mark.parametrize("content", [None, b""])
def test_a_missing_or_empty_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "labels.xml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"labels\.xml.*: cannot be read"):
        read_dlib_xml(path, "x")


@pytest.mark.slow
@pytest.mark.parametrize("part", ["train", "test"])
def test_xml_and_pts_labels_of_the_real_data_agree(data_dir: Path, part: str) -> None:
    """The XML holds the ``.pts`` points rounded to whole pixels; another XML parser reads the same."""
    path = data_dir / "300w" / f"labels_ibug_300W_{part}.xml"
    if not path.is_file():
        pytest.skip(f"no {path}")
    faces = read_dlib_xml(path, part)
    assert len(faces) == {"train": 2012, "test": 554}[part]
    boxes = ElementTree.parse(path).getroot().findall("images/image/box")
    for face, box in zip(faces, boxes, strict=True):
        assert np.array_equal(face.points, np.rint(read_pts(face.image.with_suffix(".pts"))))
        assert np.array_equal(face.points, [[int(part.attrib["x"]), int(part.attrib["y"])] for part in box])
