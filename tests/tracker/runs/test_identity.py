"""Identity of a run: what makes two runs the same."""

from __future__ import annotations

import os
from pathlib import Path

from tracker.runs.identity import RunIdentity, differences


def test_inputs_are_told_apart_by_name_size_and_time_of_change(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("1")
    os.utime(path, ns=(0, 1))
    first = RunIdentity("video", [path]).to_json()
    assert first == RunIdentity("video", [path]).to_json()
    path.write_text("12")
    os.utime(path, ns=(0, 1))
    longer = RunIdentity("video", [path]).to_json()
    os.utime(path, ns=(0, 2))
    later = RunIdentity("video", [path]).to_json()
    assert first != longer != later


def test_the_order_of_several_inputs_counts(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    assert RunIdentity("images", [a, b]).to_json() != RunIdentity("images", [b, a]).to_json()
    assert RunIdentity("images", [a, b]).to_json() == RunIdentity("images", (a, b)).to_json()


def test_settings_and_kind_count_and_tuples_are_lists() -> None:
    identity = RunIdentity("video", [], {"size": (1, 2)}).to_json()
    assert identity["size"] == [1, 2]
    assert identity != RunIdentity("images", [], {"size": (1, 2)}).to_json()


def test_differences_name_the_keys_that_lead_to_them() -> None:
    before = {"settings": {"max_faces": 8, "same": 1}, "input": "a"}
    now = {"settings": {"max_faces": 2, "same": 1}, "input": "a", "fps": 5}
    assert list(differences(before, now)) == ["fps was null, now 5", "settings.max_faces was 8, now 2"]
    assert list(differences(before, before)) == []


def test_long_values_are_shortened() -> None:
    (line,) = differences({"a": "x" * 100}, {"a": "y"})
    assert line.endswith('xxx..., now "y"')
    assert len(line) < 90
