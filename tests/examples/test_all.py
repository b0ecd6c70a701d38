"""Rules for all examples: they are short, take public names only, explain themselves and end cleanly."""

from __future__ import annotations

import ast
import re
import signal
import sys
from pathlib import Path

import pytest

import tracker
from tests.cli import REPO, line_count, start_process, wait_until
from tests.examples.running import EXAMPLES, FOLLOWING, NEEDS, run_example
from tests.media import frame_count, mjpeg_server
from tests.moving_portrait import portrait
from tracker.tracking.face_tracker import FaceTracker
from tracker.types import Frame, FrameResult

MOST_LINES = 80


def source_of(name: str) -> str:
    return (REPO / "examples" / f"{name}.py").read_text(encoding="utf-8")


def test_there_are_at_least_eight() -> None:
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_short_and_its_own_whole(name: str) -> None:
    assert len(source_of(name).splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(source_of(name))):
        if isinstance(node, ast.Import):
            assert not [alias.name for alias in node.names if alias.name.startswith(("tracker", "examples"))]
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("tracker", "examples")):
            assert node.module == "tracker"
            assert {alias.name for alias in node.names} <= set(tracker.__all__)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_help_shows_commands_that_begin_with_the_example_itself(name: str) -> None:
    done = run_example(name, "--help")
    assert done.exit_code == 0
    commands = re.findall(r"^    python (examples/\w+\.py)", done.stdout, re.MULTILINE)
    assert set(commands) == {f"examples/{name}.py"}
    assert "default" in done.stdout


def test_the_readme_lists_every_example() -> None:
    readme = (REPO / "examples" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[`(\w+)\.py`\]\((\w+)\.py\)", readme, re.MULTILINE)
    assert sorted(name for name, _ in listed) == EXAMPLES
    assert all(name == link for name, link in listed)


@pytest.mark.parametrize("name", FOLLOWING)
def test_an_input_that_is_not_there_is_one_line(name: str, tmp_path: Path) -> None:
    done = run_example(name, "gone.mp4", cwd=tmp_path)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith(f"{name}: ")
    assert "gone.mp4" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", NEEDS)
def test_without_its_packages_an_example_says_how_to_install_them(name: str, tmp_path: Path) -> None:
    helped = run_example(name, "--help", without=NEEDS[name])
    assert (helped.exit_code, helped.stderr) == (0, "")
    for package in NEEDS[name]:
        done = run_example(name, "gone.csv", cwd=tmp_path, without=[package])
        assert done.exit_code == 1
        assert done.stderr.startswith(f"{name}: it needs ")
        assert done.stderr.count("\n") == 1
        needed = {"pythonosc": "python-osc"}.get(package, package)
        assert needed in done.stderr.split(": pip install ")[1].split()


@pytest.mark.parametrize("name", FOLLOWING)
def test_an_interrupt_ends_it_without_a_word(
    name: str, short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: FaceTracker, frame: Frame) -> FrameResult:
        if frame.index == 4:
            raise KeyboardInterrupt
        return FaceTracker._step(self, frame)  # noqa: SLF001

    monkeypatch.setattr(FaceTracker, "step", interrupted)
    monkeypatch.setattr("tracker.tracking.opening.OpenedTracker.step", interrupted)
    monkeypatch.setattr(FaceTracker, "find", interrupted)
    done = run_example(name, short, cwd=tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")
    for film in tmp_path.glob("*.mp4"):
        assert frame_count(film) == 4


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_ends_a_camera_and_keeps_what_was_written(tmp_path: Path) -> None:
    table = tmp_path / "faces.csv"
    with mjpeg_server(25.0, lambda _: portrait()) as camera:
        command = [sys.executable, str(REPO / "examples" / "record.py"), camera.url]
        with start_process(command, cwd=tmp_path) as process:
            wait_until(lambda: line_count(table) > 3, process)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (0, "", "")
    assert line_count(table) > 3
