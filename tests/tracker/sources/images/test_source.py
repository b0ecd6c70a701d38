from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.errors import SourceError
from tracker.sources.images.source import ImageSource, ReadFailure, find_images
from tracker.types import Frame


def _noise(height: int = 20, width: int = 40, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def _save(path: Path, image: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


def _bad_files(folder: Path) -> list[Path]:
    png = cv2.imencode(".png", _noise(200, 200))[1].tobytes()
    jpg = cv2.imencode(".jpg", _noise(200, 200))[1].tobytes()
    flipped = bytearray(png)
    flipped[len(png) // 2] ^= 255
    contents = {
        "empty.jpg": b"",
        "text.png": b"hello",
        "cut.png": png[: len(png) // 2],
        "cut.jpg": jpg[: len(jpg) // 2],
        "flipped.png": bytes(flipped),
        "float.tiff": cv2.imencode(".tiff", np.zeros((4, 4, 3), np.float32))[1].tobytes(),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in contents] + [folder / "missing.jpg", folder]


def test_a_bad_image_is_reported_and_the_rest_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = _bad_files(tmp_path)
    good = _save(tmp_path / "good.png", _noise())
    items = list(ImageSource([*bad, good]))
    assert len(items) == len(bad) + 1
    for path, item in zip(bad, items, strict=False):
        assert isinstance(item, ReadFailure), path
        assert item.source == path.name
        assert str(path) in item.message
        assert "\n" not in item.message
    assert isinstance(items[-1], Frame)
    assert (items[-1].source, items[-1].index, items[-1].time_s) == ("good.png", 0, 0.0)
    assert capfd.readouterr().err == ""


def test_find_images_in_a_folder_a_glob_and_a_file(tmp_path: Path) -> None:
    names = ["face10.jpg", "face2.JPG", "Face1.png", "notes.txt", "sub/deep3.png"]
    (tmp_path / "sub").mkdir()
    for name in names:
        (tmp_path / name).touch()
    found = find_images(str(tmp_path))
    assert [p.name for p in found] == ["Face1.png", "face2.JPG", "face10.jpg"]
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
def test_nothing_found_is_an_error(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(SourceError, match="no images"):
        find_images(str(tmp_path / pattern))
