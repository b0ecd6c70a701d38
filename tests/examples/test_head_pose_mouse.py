from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.examples.running import run_example
from tests.moving_portrait import Pose, film


def moving(path: Path, pose: Pose) -> Path:
    """Write a film of a head that comes from rest into a pose, and stays there."""
    shares = [0.0] * 6 + [step / 8 for step in range(8)] + [1.0] * 8
    poses = [Pose(jaw=s * pose.jaw, yaw_deg=s * pose.yaw_deg, pitch_deg=s * pose.pitch_deg) for s in shares]
    return film(path, poses)


def moves(stdout: str) -> list[tuple[int, int]]:
    return [(int(line.split()[1]), int(line.split()[2])) for line in stdout.splitlines()]


@pytest.mark.parametrize(
    ("pose", "way"),
    [
        (Pose(yaw_deg=15), (-1, 0)),  # to the right of the picture is to the person's left
        (Pose(yaw_deg=-15), (1, 0)),
        (Pose(pitch_deg=12), (0, -1)),
        (Pose(pitch_deg=-12), (0, 1)),
    ],
)
def test_the_pointer_goes_where_the_head_turns(tmp_path: Path, pose: Pose, way: tuple[int, int]) -> None:
    done = run_example("head_pose_mouse", moving(tmp_path / "turn.mp4", pose))
    assert done.exit_code == 0, done.stderr
    steps = moves(done.stdout)
    right, down = (sum(values) for values in zip(*steps, strict=True))
    main, other = (right, down) if way[0] else (down, right)
    assert main * (way[0] or way[1]) > 30
    assert abs(other) < abs(main)
    assert 6 <= len(steps) <= 16  # none in the six frames at rest
    assert "click" not in done.stdout


def test_a_head_at_rest_moves_nothing(short: Path) -> None:
    assert run_example("head_pose_mouse", short).stdout == ""


def test_a_mouth_that_opens_clicks_once(speech: Path) -> None:
    done = run_example("head_pose_mouse", speech)
    assert done.stdout.count("click") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_xdotool_gets_the_movement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "xdotool"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/log\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    turn = moving(tmp_path / "turn.mp4", Pose(yaw_deg=-15))
    printed = moves(run_example("head_pose_mouse", turn).stdout)
    assert run_example("head_pose_mouse", turn, "--pointer", "xdotool").exit_code == 0
    calls = (tmp_path / "log").read_text().splitlines()
    assert calls == [f"mousemove_relative -- {right} {down}" for right, down in printed]


@pytest.mark.parametrize("pointer", ["xdotool", "pyautogui"])
def test_a_pointer_that_is_not_installed_is_one_line(
    speech: Path, monkeypatch: pytest.MonkeyPatch, pointer: str
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pyautogui", None)
    done = run_example("head_pose_mouse", speech, "--pointer", pointer)
    assert done.exit_code == 1
    assert done.stderr.startswith("head_pose_mouse: ")
    assert pointer in done.stderr
    assert done.stderr.count("\n") == 1
