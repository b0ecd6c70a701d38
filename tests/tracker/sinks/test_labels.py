"""Label files, read back by the readers of the training side."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cli import assert_one_line_error, run_cli
from tests.disk import file_size_limit
from tests.faces import astronaut
from tests.media import jpeg_with_exif, picture
from tests.portraits import portrait, stored
from tests.shapes import face_points
from tracker.errors import SinkError
from tracker.sinks.labels import DlibSink, PtsSink, label_sink
from tracker.sources.orientation import Orientation
from tracker.tracking.opening import open_tracker
from tracker.types import FrameResult, Landmarks, TrackedFace
from train.data.pictures import read_picture
from train.data.readers import read_dlib_xml, read_pts, read_pts_folder
from train.errors import DataError

POINTS = face_points((60.456, 50.123), 70) + np.random.default_rng(0).uniform(-0.5, 0.5, (68, 2))
NAMES = ("a.png", "b & 'c' \"d\" <é>.png", "none.png")


def result(name: str, count: int = 1) -> FrameResult:
    faces = tuple(TrackedFace(i + 1, Landmarks(POINTS / (i + 1))) for i in range(count))
    return FrameResult(faces, 0, 0.0, name, (120, 160))


def images(folder: Path, names: tuple[str, ...] = NAMES) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        data = cv2.imencode(".png", picture(1, 160, 120))[1].tobytes()
        (folder / name).write_bytes(data)
    return [folder / name for name in names]


@pytest.mark.parametrize("place", ["photos/l.xml", "l.xml", "labels/l.xml"])
def test_dlib_xml_is_read_back_to_the_pixel(tmp_path: Path, place: str) -> None:
    paths = images(tmp_path / "photos")
    (tmp_path / "labels").mkdir()
    with label_sink(tmp_path / place, paths) as sink:
        assert isinstance(sink, DlibSink)
        for path, count in zip(paths, (1, 2, 0), strict=True):
            sink.write(result(path.name, count))
    faces = read_dlib_xml(tmp_path / place, "mine")
    assert [face.image.resolve() for face in faces] == [paths[0], paths[1], paths[1]]
    for face, points in zip(faces, (POINTS, POINTS, POINTS / 2), strict=True):
        np.testing.assert_array_equal(face.points, np.rint(points))  # dlib reads whole pixels only


def test_dlib_xml_is_complete_after_every_image(tmp_path: Path) -> None:
    paths = images(tmp_path)
    with DlibSink(tmp_path / "l.xml", paths) as sink:
        assert (tmp_path / "l.xml").read_text().endswith("</dataset>\n")
        for count, path in enumerate(paths, 1):
            sink.write(result(path.name))
            assert len(read_dlib_xml(tmp_path / "l.xml", "x")) == count
    sink.close()


def test_dlib_xml_stays_complete_on_a_full_disk(tmp_path: Path) -> None:
    paths = images(tmp_path)
    with DlibSink(tmp_path / "l.xml", paths) as sink:
        sink.write(result(paths[0].name))
        size = (tmp_path / "l.xml").stat().st_size
        with file_size_limit(size + 100), pytest.raises(SinkError, match=r"cannot write .*l\.xml"):
            sink.write(result(paths[1].name))
    assert len(read_dlib_xml(tmp_path / "l.xml", "x")) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="such names cannot exist there")
@pytest.mark.parametrize("name", [b"a\x1b.png", b"a\xff.png", b"a\x01.png"])
def test_a_name_that_xml_cannot_represent_is_left_out_and_told(tmp_path: Path, name: bytes) -> None:
    odd = tmp_path / os.fsdecode(name)
    odd.write_bytes(cv2.imencode(".png", astronaut())[1].tobytes())
    cv2.imwrite(str(tmp_path / "b.png"), astronaut())
    done = run_cli("--images", tmp_path, "--labels", tmp_path / "l.xml", *LIGHT_ARGUMENTS)
    assert done.exit_code == 0
    assert "1 names cannot be written in XML, such as 'a" in done.stderr
    assert done.stderr.removesuffix("\n").isprintable()
    (face,) = read_dlib_xml(tmp_path / "l.xml", "x")
    assert face.image.name == "b.png"


def test_markup_in_a_name_is_escaped(tmp_path: Path) -> None:
    name = "x'><box><image file=\"y\n.png"
    (path,) = images(tmp_path, (name,))
    with DlibSink(tmp_path / "l.xml", [path]) as sink:
        sink.write(result(name))
    (face,) = read_dlib_xml(tmp_path / "l.xml", "x")
    assert face.image == path


def test_pts_are_read_back_to_the_hundredth(tmp_path: Path) -> None:
    paths = images(tmp_path / "photos")
    with label_sink(tmp_path / "photos", paths) as sink:
        assert isinstance(sink, PtsSink)
        for path, count in zip(paths, (1, 3, 0), strict=True):
            sink.write(result(path.name, count))
        assert sink.left_out == 2
    faces = read_pts_folder(tmp_path / "photos", "mine")
    assert [face.image for face in faces] == paths[:2]
    for face in faces:
        np.testing.assert_allclose(face.points, POINTS.round(2), atol=1e-9)


def test_existing_pts_files_are_never_overwritten(tmp_path: Path) -> None:
    paths = images(tmp_path)
    (tmp_path / "a.pts").write_text("made by hand")
    with pytest.raises(SinkError, match=r"a\.pts: there is one already"):
        PtsSink(tmp_path, paths)
    assert (tmp_path / "a.pts").read_text() == "made by hand"


def test_two_images_with_one_label_are_refused(tmp_path: Path) -> None:
    paths = [tmp_path / "x" / "a.png", tmp_path / "y" / "a.png"]
    for target in (tmp_path / "l.xml", tmp_path / "labels"):
        with pytest.raises(SinkError, match="several"):
            label_sink(target, paths)
    with pytest.raises(SinkError, match="several"):
        PtsSink(tmp_path / "labels", [tmp_path / "a.png", tmp_path / "a.jpg"])
    assert list(tmp_path.iterdir()) == []


def test_paths_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    paths = images(tmp_path)
    for target in (tmp_path / "none" / "l.xml", tmp_path / "none" / "labels", tmp_path / "a.png"):
        with pytest.raises(SinkError, match="cannot write"):
            label_sink(target, paths)
    if Path("/dev/full").exists():
        with pytest.raises(SinkError, match="No space left"):
            DlibSink(Path("/dev/full"), paths)


def test_the_command_line_writes_labels(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    image = astronaut()
    cv2.imwrite(str(photos / "two.png"), cv2.hconcat([image, image[:, ::-1]]))
    cv2.imwrite(str(photos / "one.png"), image)
    (photos / "bad.png").write_bytes(b"no")
    done = run_cli(
        "--images", photos, "--labels", tmp_path / "l.xml", "--json", tmp_path / "o.jsonl", *LIGHT_ARGUMENTS
    )
    assert_one_line_error(done, "bad.png")
    assert len(read_dlib_xml(tmp_path / "l.xml", "x")) == 3
    done = run_cli("--images", photos, "--labels", photos, *LIGHT_ARGUMENTS)
    assert done.exit_code == 1
    assert "1 more" in done.stderr
    one, two = (read_pts(photos / f"{name}.pts") for name in ("one", "two"))
    assert np.abs(one - two).max() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("target", ["l.xml", "labels"])
def test_labels_belong_to_the_stored_pixels(tmp_path: Path, orientation: int, target: str) -> None:
    """The portrait's face, labelled through its EXIF orientation, is where the raw file shows it."""
    path = tmp_path / "turned.jpg"
    path.write_bytes(jpeg_with_exif(stored(portrait(), orientation), orientation))
    done = run_cli("--images", path, "--labels", tmp_path / target, *LIGHT_ARGUMENTS)
    assert done.exit_code == 0, done.stderr
    if target == "labels":
        (tmp_path / "labels" / path.name).write_bytes(path.read_bytes())
        (face,) = read_pts_folder(tmp_path / "labels", "x")
    else:
        (face,) = read_dlib_xml(tmp_path / target, "x")
    raw = read_picture(face.image, colour=True)
    np.testing.assert_array_equal(
        raw, cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    )
    # The raw pixels without EXIF show the face at the same place, in any position.
    with open_tracker("unet-light", "cpu", threads=1) as tracker:
        (seen,) = tracker.find(raw).faces
    apart = np.linalg.norm(seen.landmarks.points_frame - face.points, axis=1)
    assert np.median(apart) < 3
    assert apart.max() < 12


def _corner(orientation: int) -> tuple[int, int]:
    """Return where the upright pixel (3, 5) is stored, by the definition of the orientation."""
    upright = np.zeros((40, 30), np.uint8)
    upright[5, 3] = 1
    ((row, column),) = np.argwhere(stored(upright, orientation))
    return int(column), int(row)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_place_is_stored_where_its_pixel_is(orientation: int) -> None:
    turn = Orientation.from_exif(orientation)
    place = turn.stored_points(np.array([[3.0, 5.0]]), (40, 30))
    np.testing.assert_array_equal(place, [_corner(orientation)])
    assert turn.is_mirrored == (orientation in (2, 4, 5, 7))


def test_labels_of_the_upright_picture_say_so(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    path.write_bytes(jpeg_with_exif(stored(portrait(), 6), 6))
    arguments = ("--images", path, "--json", tmp_path / "o.jsonl", *LIGHT_ARGUMENTS)
    done = run_cli(*arguments, "--labels", tmp_path / "l.xml", "--label-pixels", "upright")
    assert done.exit_code == 0, done.stderr
    written = json.loads((tmp_path / "o.jsonl").read_text())["faces"][0]["landmarks"]
    text = (tmp_path / "l.xml").read_text()
    assert "pixels of the upright pictures, EXIF orientation applied" in text
    assert f"<part name='30' x='{round(written[30][0])}' y='{round(written[30][1])}'/>" in text
    with pytest.raises(DataError, match="stored turned: write them with tracker --label-pixels stored"):
        read_dlib_xml(tmp_path / "l.xml", "x")
    path.write_bytes(jpeg_with_exif(portrait(), 1))  # of an upright file both are the same
    assert len(read_dlib_xml(tmp_path / "l.xml", "x")) == 1
    assert run_cli(*arguments, "--label-pixels", "upright").exit_code == 2


@pytest.mark.parametrize(
    "suffix", [".webp", ".gif", ".avif", ".tiff", ".tif", ".pgm", ".ppm", ".jp2", ".bmp"]
)
@pytest.mark.parametrize("target", ["l.xml", "labels"])
def test_labels_beside_every_kind_of_image_are_read_back(tmp_path: Path, suffix: str, target: str) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    path = folder / f"a{suffix}"
    image = picture(1, 160, 120)
    if suffix in (".gif", ".avif", ".jp2"):
        PIL.Image.fromarray(image).save(path)
    else:
        cv2.imwrite(str(path), image[..., 0] if suffix == ".pgm" else image)
    with label_sink(tmp_path / target, [path]) as sink:
        sink.write(result(path.name))
    faces = read_dlib_xml(tmp_path / target, "x") if "." in target else read_pts_folder(folder, "x")
    np.testing.assert_allclose(faces[0].points, POINTS, rtol=0, atol=0.5 + 1e-9)
    assert read_picture(faces[0].image).shape == (120, 160)


def test_a_place_beyond_the_corner_is_not_written_as_a_mark(tmp_path: Path) -> None:
    (path,) = images(tmp_path, ("a.png",))
    points = face_points((20, 20), 60)
    points[0] = -1.0, -1.0
    points[1] = -2.0, -2.0
    face = FrameResult((TrackedFace(1, Landmarks(points)),), 0, 0.0, "a.png", (120, 160))
    for target in (tmp_path / "l.xml", tmp_path):
        with label_sink(target, [path]) as sink:
            sink.write(face)
    (from_xml,), (from_pts,) = read_dlib_xml(tmp_path / "l.xml", "x"), read_pts_folder(tmp_path, "x")
    np.testing.assert_allclose(from_xml.points, points.round(), rtol=0, atol=1)
    np.testing.assert_allclose(from_pts.points, points, rtol=0, atol=0.0151)


def test_a_result_of_another_picture_is_refused(tmp_path: Path) -> None:
    paths = images(tmp_path)
    for target in (tmp_path / "l.xml", tmp_path / "labels"):
        with label_sink(target, paths) as sink, pytest.raises(SinkError, match=r"other\.png' is none of its"):
            sink.write(result("other.png"))
