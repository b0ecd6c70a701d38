"""Label files, read back by the readers of the training side."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cli import assert_one_line_error, run_cli
from tests.disk import file_size_limit
from tests.faces import astronaut
from tests.media import picture
from tests.shapes import face_points
from tracker.errors import SinkError
from tracker.sinks.labels import DlibSink, PtsSink, label_sink
from tracker.types import FrameResult, Landmarks, TrackedFace
from train.data.readers import read_dlib_xml, read_pts, read_pts_folder

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
def test_a_name_that_xml_cannot_represent_is_refused_before_anything_is_written(
    tmp_path: Path, name: bytes
) -> None:
    with pytest.raises(SinkError, match="cannot stand in XML") as caught:
        DlibSink(tmp_path / "l.xml", [tmp_path / os.fsdecode(name)])
    assert str(caught.value).isprintable()
    assert not (tmp_path / "l.xml").exists()


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
