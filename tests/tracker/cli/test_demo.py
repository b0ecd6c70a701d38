"""The demo: what it makes, what it says, and what it leaves alone."""

from __future__ import annotations

import shlex
from pathlib import Path

import cv2
import pytest

from tests.batches import LIGHT, LIGHT_ARGUMENTS
from tests.cli import assert_one_line_error, json_lines, run_cli
from tests.media import frame_count
from tracker.cli import start_demo
from tracker.cli.start_demo import CLIP, CSV, JSON, MADE, MARKED_CLIP, MARKED_PICTURE, PICTURE, RECORD
from tracker.sinks.csv_table import read_table


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the demo take the light model and a clip of six frames."""
    monkeypatch.setattr(start_demo, "TrackerOptions", lambda: LIGHT)
    monkeypatch.setattr(start_demo, "_CLIP_FRAMES", 6)


def test_it_makes_pictures_and_tables_and_says_which(tmp_path: Path) -> None:
    done = run_cli("demo", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    folder = tmp_path / "tracker-demo"
    assert {path.name for path in folder.iterdir()} == {*MADE, RECORD}
    for name in MADE:
        assert name in done.stdout
    before, after = (cv2.imread(str(folder / name)) for name in (PICTURE, MARKED_PICTURE))
    assert before is not None
    assert after is not None
    assert (before != after).any()
    assert frame_count(folder / CLIP) == frame_count(folder / MARKED_CLIP) == 6
    assert [len(line["faces"]) for line in json_lines(folder / JSON)] == [1] * 6
    assert read_table(folder / CSV)["frame"] == list(range(6))
    assert str(tmp_path) not in done.stdout


def test_a_quiet_one_makes_the_same_and_says_nothing(tmp_path: Path) -> None:
    done = run_cli("demo", "--quiet", cwd=tmp_path)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    assert {path.name for path in (tmp_path / "tracker-demo").iterdir()} == {*MADE, RECORD}


def test_the_next_commands_work_as_they_are_typed(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_cli("demo", "--output", "my demo", cwd=tmp_path)
    lines = done.stdout.split("Next:")[1].splitlines()[1:]
    commands = [shlex.split(line.split("  ")[1]) for line in lines]
    assert [command[0] for command in commands] == ["tracker"] * 4
    for _, *args in commands:
        if "plot" in args or "--no-window" in args:
            light = () if "plot" in args else LIGHT_ARGUMENTS
            assert run_cli(*args, *light, cwd=tmp_path).exit_code == 0
        else:  # needs a screen, and is right but for that
            run = run_cli(*args, cwd=tmp_path)
            assert_one_line_error(run, "no display")


def test_it_replaces_what_it_made(tmp_path: Path) -> None:
    assert run_cli("demo", "--output", tmp_path / "d").exit_code == 0
    (tmp_path / "d" / CSV).unlink()
    assert run_cli("demo", "--output", tmp_path / "d").exit_code == 0
    assert (tmp_path / "d" / CSV).exists()


@pytest.mark.parametrize("name", [*MADE, RECORD])
def test_it_replaces_nothing_else(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    done = run_cli("demo", "--output", tmp_path)
    assert_one_line_error(done, name, "give --output another folder")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_it_does_not_replace_what_somebody_changed(tmp_path: Path) -> None:
    assert run_cli("demo", "--output", tmp_path / "d").exit_code == 0
    (tmp_path / "d" / CSV).write_text("my notes")
    assert_one_line_error(run_cli("demo", "--output", tmp_path / "d"), CSV)
    assert (tmp_path / "d" / CSV).read_text() == "my notes"


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert run_cli("demo", "--output", tmp_path).exit_code == 0
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d").touch()
    assert_one_line_error(run_cli("demo", "--output", tmp_path / "d"), "it is not a folder")


def test_it_opens_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr("tracker.system.viewer.open_in_viewer", opened.append)
    assert run_cli("demo", "--output", tmp_path / "d", "--open").exit_code == 0
    assert opened == [tmp_path / "d"]
