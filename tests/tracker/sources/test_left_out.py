"""Files that are left out of a folder, a pattern or a batch are counted and named."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cli import assert_one_line_error, run_cli
from tests.faces import astronaut
from tests.media import face_video
from tracker.errors import SourceError
from tracker.runs.batch.plan import plan_batch
from tracker.sources.images.source import find_images, look_for_images
from tracker.sources.left_out import counts_as_video, kind_of, left_out_text
from tracker.sources.opening import PictureSource

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with one photo, and twelve other files, a broken link, a folder and a pipe."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    cv2.imwrite(str(folder / "a.png"), astronaut())
    for index in range(10):
        (folder / f"{index}.MOV").touch()
    for name in ("a.xmp", "b.xmp"):
        (folder / name).touch()
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(folder / "pipe.jpg")
    return folder


LINE = "12 files left out: .mov 10, .xmp 2; 1 broken link, 1 folder, 1 pipe or device"


def test_a_folder_tells_of_all_that_it_leaves_out(photos: Path) -> None:
    for pattern in (photos, photos / "*"):
        found = look_for_images(str(pattern))
        assert [path.name for path in found.paths] == ["a.png"]
        assert left_out_text(found.left_out) == LINE
    assert PictureSource(str(photos)).left_out[".mov"] == 10
    done = run_cli("--images", photos, "--json", photos.parent / "o.jsonl", *LIGHT_ARGUMENTS)
    assert (done.exit_code, done.stderr) == (0, f"tracker: {LINE}\n")


def test_a_pattern_of_other_files_only_says_what_they_are(photos: Path) -> None:
    done = run_cli("--images", photos / "*.MOV", "--json", photos.parent / "o", *LIGHT_ARGUMENTS)
    assert_one_line_error(done, "no images match", "10 files left out: .mov 10")
    (photos / "a.png").unlink()
    with pytest.raises(SourceError, match=r"no images in .*12 files left out: .mov 10, .xmp 2; 1 broken"):
        find_images(str(photos))


def test_a_pattern_takes_images_by_their_first_bytes_too(photos: Path) -> None:
    (photos / "scan.dat").write_bytes((photos / "a.png").read_bytes())
    (photos / "no_suffix").write_bytes((photos / "a.png").read_bytes())
    found = look_for_images(str(photos / "*"))
    assert [path.name for path in found.paths] == ["a.png", "no_suffix", "scan.dat"]


def test_a_pattern_over_folders_does_not_count_those_on_its_way(photos: Path) -> None:
    found = look_for_images(str(photos / "**" / "*"))
    assert "folder" not in found.left_out
    assert found.left_out[".mov"] == 10


def test_a_batch_tells_of_all_that_it_leaves_out(photos: Path) -> None:
    face_video(photos / "0.mov", 2)
    (photos / "sub" / "notes").touch()
    (photos / "link").symlink_to(photos / "sub")
    plan = plan_batch([photos, photos / "sub" / "..", photos / "0.mov"])
    line = (
        "3 files left out: .xmp 2, without an ending 1; 1 broken link, 1 link to a folder, 1 pipe or device"
    )
    assert left_out_text(plan.left_out) == line
    assert {Path(job.source).name for job in plan.jobs} >= {"0.mov", "photos"}
    (photos / "sub" / "a.txt").touch()
    with pytest.raises(SourceError, match=r"no videos or images in .*\(2 files left out: .txt 1, without"):
        plan_batch([photos / "sub"])


def test_the_command_of_a_batch_says_it(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    face_video(folder / "a.mp4", 2)
    (folder / "a.xmp").touch()
    done = run_cli("batch", folder, "--output", tmp_path / "out", "--jobs", "1", "--model", "unet-light")
    assert done.exit_code == 0, done.stderr
    assert "tracker: 1 file left out: .xmp 1\n" in done.stderr


def test_many_kinds_are_summed_up_and_odd_endings_are_none(tmp_path: Path) -> None:
    kinds = {f".{letter}": 1 for letter in "abcdefghij"}
    assert (
        left_out_text(kinds) == "10 files left out: .a 1, .b 1, .c 1, .d 1, .e 1, .f 1, .g 1, .h 1, others 2"
    )
    assert left_out_text({}) == ""
    assert (
        left_out_text({"broken link": 2, "link to a folder": 3})
        == "2 broken links, 3 links to a folder left out"
    )
    for name in ("a", "a.", "a." + 50 * "x"):
        (tmp_path / name).touch()
        assert kind_of(tmp_path / name) == "without an ending"
    (tmp_path / ".hidden").touch()
    assert kind_of(tmp_path / ".hidden") == "hidden file"


def test_hidden_files_of_folders_are_left_out_and_counted(photos: Path) -> None:
    """macOS writes ``._a.png`` beside ``a.png`` on foreign disks."""
    for name in ("._a.png", ".hidden.jpg", "._0.mp4", ".DS_Store"):
        (photos / name).write_bytes(b"\0\5\x16\7")
    done = run_cli("--images", photos, "--json", photos.parent / "o.jsonl", *LIGHT_ARGUMENTS)
    line = LINE.replace("; ", "; 4 hidden files, ")
    assert (done.exit_code, done.stderr) == (0, f"tracker: {line}\n")
    face_video(photos / "0.mov", 2)
    plan = plan_batch([photos])
    assert plan.left_out["hidden file"] == 4
    assert not any("._" in job.source for job in plan.jobs)
    assert [path.name for path in find_images(str(photos / ".h*"))] == [".hidden.jpg"]  # asked for


def test_a_batch_leaves_out_broken_links_and_links_in_a_circle(tmp_path: Path) -> None:
    face_video(tmp_path / "a.mp4", 2)
    (tmp_path / "x.mp4").symlink_to("nowhere.mp4")
    (tmp_path / "y.mp4").symlink_to("y.mp4")
    (tmp_path / "z.mp4").symlink_to("a.mp4")
    plan = plan_batch([tmp_path])
    assert [Path(job.source).name for job in plan.jobs] == ["a.mp4", "z.mp4"]
    assert left_out_text(plan.left_out) == "2 broken links left out"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"# points of a face\n58\n", False),
        (b"\n58\n0 0 0.5", False),
        (b"\x30\x26\xb2\x75\x8e", True),
        (b"", True),
    ],
)
def test_labels_with_the_suffix_of_a_video_are_no_video(
    tmp_path: Path, content: bytes, expected: bool
) -> None:
    """The IMM Face Database has them beside its pictures; what may be a damaged film is one."""
    (tmp_path / "a.asf").write_bytes(content)
    assert counts_as_video(tmp_path / "a.asf") is expected
    assert counts_as_video(tmp_path / "missing.mp4")


def test_pictures_with_labels_that_are_named_like_videos_are_tracked(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), astronaut())
    (tmp_path / "a.asf").write_text("# points\n58\n")
    done = run_cli(tmp_path, "--json", tmp_path / "faces.jsonl", *LIGHT_ARGUMENTS)
    assert (done.exit_code, done.stderr) == (0, "tracker: 1 file left out: .asf 1\n")
    planned = plan_batch([tmp_path])
    assert [job.kind for job in planned.jobs] == ["images"]
    assert planned.left_out == {".asf": 1, ".jsonl": 1}
