from __future__ import annotations

from pathlib import Path

import pytest

from tracker.runs.targets import OutputTargets


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
