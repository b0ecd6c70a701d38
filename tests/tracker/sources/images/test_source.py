from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.errors import SourceError
from tracker.sources.images.source import ImageSource, ReadFailure, find_images, unreadable
from tracker.types import Frame


def test_each_image_is_a_frame_or_a_failure(tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.png", tmp_path / "good.png"
    bad.write_bytes(b"no image")
    good.write_bytes(cv2.imencode(".png", np.zeros((2, 3, 3), np.uint8))[1].tobytes())
    with ImageSource([bad, good, tmp_path / "gone.png"]) as source:
        failure, frame, missing = source
    assert failure == ReadFailure("bad.png", f"cannot read {bad}: not an image, or damaged")
    assert isinstance(frame, Frame)
    assert (frame.source, frame.index, frame.time_s, frame.image_hw) == ("good.png", 0, 0.0, (2, 3))
    assert isinstance(missing, ReadFailure)
    assert "No such file" in missing.message


def test_one_error_tells_of_all_unreadable_images() -> None:
    failures = [ReadFailure("a.png", "cannot read a.png"), ReadFailure("b.png", "cannot read b.png")]
    assert str(unreadable(failures[:1], others=False)) == "cannot read a.png"
    first, others = "the first: cannot read a.png", "could not be read, the others are done"
    assert str(unreadable(failures[:1], others=True)) == f"1 image {others}; {first}"
    assert str(unreadable(failures, others=True)) == f"2 images {others}; {first}"
    assert str(unreadable(failures, others=False)) == f"2 images could not be read; {first}"


def test_folders_globs_and_files_name_images_in_natural_order(tmp_path: Path) -> None:
    names = ["face10.jpg", "face2.JPG", "Face1.png", "notes.txt", "sub/deep3.png"]
    (tmp_path / "sub").mkdir()
    for name in names:
        (tmp_path / name).touch()
    assert [p.name for p in find_images(str(tmp_path))] == ["Face1.png", "face2.JPG", "face10.jpg"]
    assert [p.name for p in find_images(str(tmp_path / "**" / "*.png"))] == ["Face1.png", "deep3.png"]
    assert find_images(str(tmp_path / "notes.txt")) == (tmp_path / "notes.txt",)


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)  # root, who often runs tests, may read every folder
    with pytest.raises(SourceError, match="Permission denied"):
        find_images(str(tmp_path))
    with pytest.raises(SourceError, match="too long"):
        find_images("x" * 5000)


@pytest.mark.parametrize("pattern", ["", "*.jpg", "missing.jpg", "no/such/folder"])
def test_no_image_found_is_an_error(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(SourceError, match="no images"):
        find_images(str(tmp_path / pattern))
