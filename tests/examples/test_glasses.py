from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tests.examples.running import run_example
from tests.media import frame_count
from tests.moving_portrait import portrait


def test_the_eyes_are_dark_and_the_rest_is_untouched(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "me.png"), portrait())
    done = run_example("glasses", "me.png", "cool.png", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "wrote cool.png\n"
    cool = cv2.imread(str(tmp_path / "cool.png"))
    assert cool is not None
    for x, y in ((155, 127), (241, 130)):  # the eyes
        assert (cool[y - 8 : y + 9, x - 12 : x + 13] == 20).all()
    changed = (cool != portrait()).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert 95 < rows.min() < rows.max() < 165
    assert 110 < columns.min() < columns.max() < 285


def test_a_film_gets_glasses_in_every_frame(short: Path, tmp_path: Path) -> None:
    assert run_example("glasses", short, cwd=tmp_path).exit_code == 0
    assert frame_count(tmp_path / "glasses.mp4") == 8
