from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.examples.running import run_example
from tests.moving_portrait import Pose, portrait


def test_each_opening_of_the_mouth_is_a_picture_of_it(speech: Path, tmp_path: Path) -> None:
    done = run_example("mouth_trigger", speech, "--folder", tmp_path / "new" / "booth")
    assert done.exit_code == 0, done.stderr
    times = [float(line.split()[0]) for line in done.stdout.splitlines()]
    assert times == [pytest.approx(start, abs=0.1) for start in (0.4, 1.4)]
    files = sorted((tmp_path / "new" / "booth").iterdir())
    assert [path.name for path in files] == ["picture_001.png", "picture_002.png"]
    for path in files:
        taken = cv2.imread(str(path))
        assert taken is not None
        off = np.abs(taken.astype(int) - portrait(Pose(jaw=0.3))).max(axis=2)
        assert np.median(off) < 8  # of the open mouth, coded
        assert (off > 60).sum() > 300  # with the face drawn on it


def test_a_mouth_that_stays_shut_takes_no_picture(short: Path, tmp_path: Path) -> None:
    assert run_example("mouth_trigger", short, cwd=tmp_path).stdout == ""
    assert list((tmp_path / "booth").iterdir()) == []
