from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.running import run_example
from tests.moving_portrait import FPS, Pose, film


@pytest.fixture(scope="module")
def nods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of eyes that are closed from 0.6 s to 2 s, and from 2.6 s to 3 s."""
    times = [index / FPS for index in range(round(3.4 * FPS))]
    poses = [Pose(closed=float(0.6 <= time_s < 2 or 2.6 <= time_s < 3)) for time_s in times]
    return film(tmp_path_factory.mktemp("nods") / "nods.mp4", poses)


@pytest.mark.parametrize(("after_s", "rings_at_s"), [(1.0, [1.6]), (0.3, [0.9, 2.9]), (1.6, [])])
def test_it_rings_once_for_each_time_that_eyes_stay_closed(
    nods: Path, after_s: float, rings_at_s: list[float]
) -> None:
    done = run_example("drowsiness_alarm", nods, "--after", after_s)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith("\a") and line.endswith("wake up, person 1!") for line in lines)
    rung = [float(line.strip("\a").split()[0]) for line in lines]
    assert rung == [pytest.approx(time_s, abs=0.13) for time_s in rings_at_s]  # three frames of smoothing


def test_blinks_do_not_ring(blinks: Path) -> None:
    assert run_example("drowsiness_alarm", blinks).stdout == ""
