import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from tests.strategies import floats
from tests.tiny import face_points, write_face
from train.data.readers import LabelledFace, read_dlib_xml, read_pts, read_pts_folder, write_pts
from train.errors import DataError


def test_pts_count_from_one(tmp_path):
    path = tmp_path / "a.pts"
    rows = "\n".join(f"{i + 1} {2 * i + 1}" for i in range(68))
    path.write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    assert np.array_equal(read_pts(path), [[i, 2 * i] for i in range(68)])


@given(points=arrays(np.float64, (68, 2), elements=floats(-9999, 9999)))
def test_pts_round_trip_to_the_six_digits_written(points, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "round.pts"
    write_pts(path, points)
    assert np.abs(read_pts(path) - points).max() <= 0.5e-6 + 1e-11


def test_windows_line_ends_and_blank_lines_are_read(tmp_path):
    path = tmp_path / "a.pts"
    write_pts(path, face_points())
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert np.abs(read_pts(path) - face_points()).max() < 1e-6


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda lines: [*lines[:3], "1 2 3", *lines[4:]], r"a\.pts:4: expected two numbers"),
        (lambda lines: [*lines[:70], "1 x", *lines[71:]], r"a\.pts:71: expected two numbers"),
        (lambda lines: [*lines[:9], "nan 1", *lines[10:]], r"a\.pts:10: expected two finite"),
        (lambda lines: [*lines[:9], "1 inf", *lines[10:]], r"a\.pts:10: expected two finite"),
        (lambda lines: lines[:9] + lines[10:], r"a\.pts:3: expected 68 points, got 67"),
        (lambda lines: lines[:9] + lines[8:], r"a\.pts:3: expected 68 points, got 69"),
        (lambda lines: lines[:2] + lines[3:], r"a\.pts: no point list"),
        (lambda lines: lines[:-1], r"a\.pts: no point list"),
        (lambda lines: ["}", *lines[2:-1]], r"a\.pts:2: expected 68 points, got 0"),
        (lambda lines: [], r"a\.pts: no point list"),  # noqa: ARG005
    ],
)
def test_a_broken_pts_file_is_refused_with_file_and_line(tmp_path, change, expected):
    path = tmp_path / "a.pts"
    write_pts(path, face_points())
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(DataError, match=expected):
        read_pts(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe{\x00}"])
def test_a_pts_file_that_cannot_be_read_is_refused(tmp_path, content):
    path = tmp_path / "a.pts"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.pts: cannot be read"):
        read_pts(path)


def test_a_folder_is_read_in_order_of_name(tmp_path):
    for name in ("b", "c", "a"):
        write_face(tmp_path, name, face_points())
    faces = read_pts_folder(tmp_path, "afw")
    assert [face.image.name for face in faces] == ["a.jpg", "b.jpg", "c.jpg"]
    assert {face.subset for face in faces} == {"afw"}


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_without_labels_is_refused(tmp_path, made):
    folder = tmp_path / "empty"
    if made:
        folder.mkdir()
    with pytest.raises(DataError, match=r"empty: no \.pts"):
        read_pts_folder(folder, "afw")


def test_a_label_without_image_is_refused(tmp_path):
    write_face(tmp_path, "a", face_points()).image.unlink()
    with pytest.raises(DataError, match=r"a\.pts: no image"):
        read_pts_folder(tmp_path, "afw")


@pytest.mark.parametrize(
    "points", [np.zeros((5, 2)), np.full((68, 2), np.nan), np.tile([3.0, 4.0], (68, 1)), np.zeros((68, 2))]
)
def test_a_face_of_other_points_is_refused(tmp_path, points):
    with pytest.raises(DataError, match=r"a\.jpg"):
        LabelledFace(tmp_path / "a.jpg", points, "afw")


def write_xml(folder, points, shuffle=None, name="a.jpg"):
    parts = [f'<part name="{i:02d}" x="{x}" y="{y}"/>' for i, (x, y) in enumerate(points)]
    if shuffle is not None:
        shuffle.shuffle(parts)
    path = folder / "labels.xml"
    box = f'<box top="1" left="2" width="3" height="4">{"".join(parts)}</box>'
    path.write_text(f'<dataset><images><image file="{name}">{box}</image></images></dataset>')
    return path


def test_dlib_xml_counts_from_zero_and_goes_by_the_names_of_parts(tmp_path):
    points = face_points()
    write_face(tmp_path, "a", points)
    (face,) = read_dlib_xml(write_xml(tmp_path, points, np.random.default_rng(1)), "lfpw")
    assert np.array_equal(face.points, points)
    assert (face.image, face.subset) == (tmp_path / "a.jpg", "lfpw")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda text: text.replace('name="05"', 'name="04"'), r"labels\.xml: a\.jpg: expected parts"),
        (lambda text: text.replace('name="67"', 'name="68"'), r"labels\.xml: a\.jpg: expected parts"),
        (lambda text: text.replace(' x="', ' x="?', 1), r"labels\.xml: a\.jpg: a part without a number"),
        (lambda text: text.replace(' y="', ' z="', 1), r"labels\.xml: a\.jpg: a part without a number"),
        (lambda text: text.replace("a.jpg", "b.jpg"), r"labels\.xml: image .*b\.jpg is missing"),
        (lambda text: text.replace("file=", "path="), r"labels\.xml: an <image> without file="),
        (lambda text: text[:200], r"labels\.xml: cannot be read"),
        (lambda text: text.replace("box", "bow"), r"labels\.xml: no <box>"),
    ],
)
def test_broken_dlib_xml_is_refused_with_its_name(tmp_path, edit, expected):
    write_face(tmp_path, "a", face_points())
    path = write_xml(tmp_path, face_points())
    path.write_text(edit(path.read_text()))
    with pytest.raises(DataError, match=expected):
        read_dlib_xml(path, "lfpw")


def test_both_layouts_of_the_real_labels_agree(data_dir):
    """The XML holds whole pixels, so it may differ from the ``.pts`` by rounding or cutting: one pixel."""
    xml = data_dir / "300w" / "labels_ibug_300W_test.xml"
    if not xml.is_file():
        pytest.skip(f"no {xml}")
    faces = read_dlib_xml(xml, "test")
    assert len(faces) == 554
    for face in faces[::50]:
        assert np.abs(read_pts(face.image.with_suffix(".pts")) - face.points).max() <= 1
