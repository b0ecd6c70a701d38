"""The package as a library: its public names, what importing it costs, and the README's own programs."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

import tracker
from tests.cli import REPO, run_code
from tests.faces import astronaut
from tests.media import face_video


def test_public_names_are_there_documented_and_listed() -> None:
    assert set(tracker.__all__) == {name for names in tracker._HOMES.values() for name in names}
    for name in tracker.__all__:
        public = getattr(tracker, name)
        assert public.__doc__, name
        assert name in dir(tracker)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = tracker.nothing
    assert tracker.open_tracker.__module__ == "tracker.tracking.opening"


def test_importing_the_package_imports_nothing_heavy() -> None:
    done = run_code(
        "import sys; import tracker; from tracker import TrackerError\n"
        "heavy = {'cv2', 'onnxruntime', 'av', 'numpy', 'typer', 'rich'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    assert done.exit_code == 0, done.stderr


def _readme_program(index: int) -> str:
    text = (REPO / "README.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)[index]


def test_the_readme_follows_faces(tmp_path: Path) -> None:
    face_video(tmp_path / "in.mp4", 5)
    program = _readme_program(0)
    assert 'open_source("0")' in program
    done = run_code(program.replace('"0"', '"in.mp4"'), cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("1 ") for line in lines)


def test_the_readme_finds_faces_in_an_array(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.jpg"), astronaut())
    done = run_code(_readme_program(1), cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    x, y = map(float, done.stdout.split())
    assert np.hypot(x - 183, y - 126) < 5  # the tip of the nose, read off the portrait
