from __future__ import annotations

from pathlib import Path

import pytest

from tracker.runs.targets import VIDEO_SUFFIXES, OutputTargets
from tracker.sinks.video import formats


@pytest.mark.parametrize(
    "targets",
    [OutputTargets(json=Path("a")), OutputTargets(osc="h:1"), OutputTargets(virtual_camera="auto")],
)
def test_any_target_counts(targets: OutputTargets) -> None:
    assert targets.any


def test_without_targets_there_is_none() -> None:
    assert not OutputTargets().any
    assert OutputTargets().paths == ()


def test_paths_are_the_files_and_folders() -> None:
    targets = OutputTargets(output=Path("o"), json=Path("j"), labels=Path("l"), osc="h:1")
    assert targets.paths == (Path("o"), Path("j"), Path("l"))


def test_names_of_films_and_pictures_are_no_folders(tmp_path: Path) -> None:
    assert formats.SUFFIXES - {".gif"} == VIDEO_SUFFIXES
    for suffix in (
        ".jpg",
        ".png",
        ".webp",
        ".tiff",
        ".jfif",
        ".heic",
        ".tga",
    ):
        assert OutputTargets(output=Path(f"y{suffix}")).is_one_image
    assert OutputTargets(output=Path("y.JPG")).is_one_image
    assert not OutputTargets(output=Path("y")).is_one_image
    assert not OutputTargets(output=tmp_path).is_one_image
    (tmp_path / "y.jpg").mkdir()
    assert not OutputTargets(output=tmp_path / "y.jpg").is_one_image
