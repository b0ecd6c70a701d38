"""Files and folders without an option: told by content, and every hint works as it is typed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Self

import cv2
import pytest
import typer

from tests.batches import LIGHT_ARGUMENTS
from tests.cache import Clips
from tests.cli import CliResult, assert_one_line_error, json_lines, run_cli
from tests.faces import astronaut
from tests.media import frame_count
from tracker.cli.inputs import COMMANDS, Inputs, inputs_of, outputs_of
from tracker.cli.main import app
from tracker.runs.window import FakeWindow

TINY = (*LIGHT_ARGUMENTS, "--no-window")


def portrait(path: Path) -> Path:
    """Write the portrait as the JPEG ``path``, whatever its suffix."""
    path.write_bytes(cv2.imencode(".jpg", astronaut())[1].tobytes())
    return path


def usage(done: CliResult) -> str:
    """Return the message of wrong usage on one line."""
    assert done.exit_code == 2, done.stderr
    box = [line.strip("│ ") for line in done.stderr.splitlines() if line.startswith("│")]
    return " ".join(box)


def hinted(message: str) -> list[str]:
    """Return the arguments of the command that a message names, as a shell reads them."""
    command = rf"\btracker ((?:{'|'.join(COMMANDS)})\b.*?)(?: makes | tracks | draws |\?|$)"
    found = re.search(command, message)
    assert found, message
    return shlex.split(found[1])


def test_the_names_of_commands_are_those_of_the_command_line() -> None:
    commands = typer.main.get_command(app)
    assert set(COMMANDS) == set(commands.commands)  # type: ignore[attr-defined]


def test_a_video_and_a_picture_are_told_by_content(tmp_path: Path, clips: Clips) -> None:
    film = shutil.copy(clips.faces(3), tmp_path / "a.jpg")
    picture = portrait(tmp_path / "b")
    assert inputs_of([str(film)]) == Inputs(films=(Path(film),))
    assert inputs_of([str(picture)]) == Inputs(pictures=(str(picture),))
    assert run_cli(film, "--json", "film.jsonl", *TINY, cwd=tmp_path).exit_code == 0
    assert run_cli(picture, "--json", "picture.jsonl", *TINY, cwd=tmp_path).exit_code == 0
    assert [line["frame"] for line in json_lines(tmp_path / "film.jsonl")] == [0, 1, 2]
    (line,) = json_lines(tmp_path / "picture.jsonl")
    assert len(line["faces"]) == 1


def test_a_file_gives_what_its_option_gives(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(5)
    assert run_cli(video, "--json", tmp_path / "a", *TINY).exit_code == 0
    assert run_cli("--video", video, "--json", tmp_path / "b", *TINY).exit_code == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_options_may_stand_before_and_behind_files(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(5)
    assert run_cli(*TINY, "--every", "2", video, "--json", tmp_path / "a").exit_code == 0
    assert [line["frame"] for line in json_lines(tmp_path / "a")] == [0, 2, 4]


def test_several_pictures_are_one_run(tmp_path: Path) -> None:
    names = [str(portrait(tmp_path / name)) for name in ("b.jpg", "a.jpg")]
    done = run_cli(*names, names[0], "--output", tmp_path / "out", "--json", tmp_path / "o", *TINY)
    assert done.exit_code == 0, done.stderr
    assert [line["source"] for line in json_lines(tmp_path / "o")] == ["b.jpg", "a.jpg"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.jpg", "b.jpg"]


def test_several_videos_are_tracked_in_turn_into_a_folder(tmp_path: Path, clips: Clips) -> None:
    (tmp_path / "other").mkdir()
    films = [shutil.copy(clips.faces(n), tmp_path / name) for n, name in ((3, "a.mp4"), (4, "other/a.mp4"))]
    done = run_cli(*films, "--output", tmp_path / "out", *TINY)
    assert done.exit_code == 0, done.stderr
    counts = {path.name: frame_count(path) for path in (tmp_path / "out").iterdir()}
    assert counts == {"a.mp4": 3, "a-2.mp4": 4}


def test_a_folder_of_videos_is_all_of_them(tmp_path: Path, clips: Clips) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("b.mp4", "a.MP4", "._a.mp4", "notes.txt"):
        shutil.copy(clips.faces(3), folder / name)
    assert inputs_of([str(folder)]).films == (folder / "a.MP4", folder / "b.mp4")
    assert run_cli(folder, "--output", tmp_path / "out", *TINY).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.mp4", "b.mp4"]


def test_a_folder_of_pictures_is_the_same_as_with_its_option(tmp_path: Path) -> None:
    portrait(tmp_path / "a.jpg")
    assert inputs_of([str(tmp_path)]) == Inputs(pictures=(str(tmp_path),))
    assert inputs_of([str(tmp_path / "*.jpg")]) == Inputs(pictures=(str(tmp_path / "*.jpg"),))


def test_numbered_pictures_are_a_film_with_a_frame_rate(tmp_path: Path) -> None:
    for index in range(3):
        portrait(tmp_path / f"f_{index:04}.jpg")
    pattern = tmp_path / "f_%04d.jpg"
    assert inputs_of([str(pattern)]) == Inputs(films=(pattern,))
    assert run_cli(pattern, "--fps", "10", "--json", tmp_path / "o", *TINY).exit_code == 0
    assert [line["time_s"] for line in json_lines(tmp_path / "o")] == [0.0, 0.1, 0.2]


def test_one_damaged_video_does_not_end_the_others(tmp_path: Path, clips: Clips) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video" * 99)
    good = shutil.copy(clips.faces(3), tmp_path / "good.mp4")
    done = run_cli(tmp_path / "bad.mp4", good, "--output", tmp_path / "out", *TINY)
    assert done.exit_code == 1
    first, last = done.stderr.splitlines()
    assert "bad.mp4" in first
    assert last == "tracker: 1 of 2 videos could not be tracked, the others are done"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.mp4"]


class Shown(FakeWindow):
    """Window of a run, which ends with it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("keys", "most"), [((), [3, 4]), (("q",), [1])])
def test_several_videos_are_shown_in_turn_until_the_user_quits(
    monkeypatch: pytest.MonkeyPatch, clips: Clips, keys: tuple[str | None, ...], most: list[int]
) -> None:
    windows: list[Shown] = []

    def open_window(_: str) -> Shown:
        windows.append(Shown(keys))
        return windows[-1]

    monkeypatch.setattr("tracker.cli.start.Window", open_window)
    done = run_cli(clips.faces(3), clips.faces(4), *LIGHT_ARGUMENTS)
    assert done.exit_code == 0, done.stderr
    # A video that is only shown keeps its own speed, and may skip frames for that.
    assert len(windows) == len(most)
    assert all(1 <= len(window.shown) <= count for window, count in zip(windows, most, strict=True))


def test_without_windows_and_outputs_the_remedy_writes_something(
    monkeypatch: pytest.MonkeyPatch, clips: Clips
) -> None:
    monkeypatch.setattr("tracker.runs.window.cv2.currentUIFramework", lambda: "")
    assert_one_line_error(run_cli(clips.faces(3), *LIGHT_ARGUMENTS), "or add --no-window --json out.jsonl\n")


@pytest.mark.parametrize("given", ["film", "folder"])
@pytest.mark.parametrize("exists", [False, True])
def test_the_output_of_a_single_video_may_be_a_folder(
    tmp_path: Path, clips: Clips, given: str, exists: bool
) -> None:
    film = tmp_path / "films" / "a.mov"
    film.parent.mkdir()
    shutil.copy(clips.faces(3), film)
    if exists:
        (tmp_path / "marked").mkdir()
    source = film if given == "film" else film.parent
    done = run_cli(source, "--output", tmp_path / "marked", *TINY)
    assert done.exit_code == 0, done.stderr
    assert frame_count(tmp_path / "marked" / "a.mp4") == 3


def test_outputs_differ_also_where_case_does_not_count(tmp_path: Path) -> None:
    films = [Path("x/a.mp4"), Path("y/A.mkv"), Path("a-2.mov"), Path("z/a.avi")]
    names = [path.name for path in outputs_of(films, tmp_path)]
    assert names == ["a.mp4", "A-2.mp4", "a-2-2.mp4", "a-3.mp4"]
    assert len({name.casefold() for name in names}) == len(names)


def test_no_video_is_replaced_by_the_copy_of_another(tmp_path: Path, clips: Clips) -> None:
    films = [shutil.copy(clips.faces(3), tmp_path / name) for name in ("a.mov", "a.mp4")]
    before = Path(films[1]).read_bytes()
    message = usage(run_cli(*films, "--output", tmp_path, *TINY))
    assert "would replace an input" in message
    assert Path(films[1]).read_bytes() == before


def test_a_file_is_no_folder_for_several_videos(tmp_path: Path, clips: Clips) -> None:
    films = [shutil.copy(clips.faces(3), tmp_path / name) for name in ("a.mp4", "b.mp4")]
    message = usage(run_cli(*films, "--output", "out.mp4", *TINY, cwd=tmp_path))
    assert message.endswith("such as --output out")
    (tmp_path / "out").touch()
    assert usage(run_cli(*films, "--output", "out", *TINY, cwd=tmp_path))


@pytest.mark.parametrize("option", ["--json", "--csv", "--openface", "--parquet"])
def test_a_table_of_several_videos_is_hinted_at_a_batch(tmp_path: Path, option: str, clips: Clips) -> None:
    for name in ("a b.mp4", "c.mp4"):
        shutil.copy(clips.faces(3), tmp_path / name)
    message = usage(run_cli("a b.mp4", "c.mp4", option, "o", *TINY, cwd=tmp_path))
    assert option in message
    hint = hinted(message)
    assert hint == ["batch", "a b.mp4", "c.mp4", "--output", "results"]
    assert not (tmp_path / "o").exists()
    assert run_cli(*hint, *LIGHT_ARGUMENTS, "--jobs", "1", cwd=tmp_path).exit_code == 0
    assert len(json_lines(tmp_path / "results" / "a b.mp4.jsonl")) == 3


@pytest.mark.parametrize("names", [("in",), ("in/a.mp4", "in/b.jpg"), ("deep",)])
def test_videos_beside_pictures_are_hinted_at_a_batch(
    tmp_path: Path, names: Sequence[str], clips: Clips
) -> None:
    for folder in (tmp_path / "in", tmp_path / "deep" / "er"):
        folder.mkdir(parents=True)
        shutil.copy(clips.faces(3), folder / "a.mp4")
        portrait(folder / "b.jpg")
    hint = hinted(usage(run_cli(*names, "--output", "o", *TINY, cwd=tmp_path)))
    assert hint == ["batch", *names, "--output", "results"]
    assert run_cli(*hint, *LIGHT_ARGUMENTS, "--jobs", "1", cwd=tmp_path).exit_code == 0


def test_results_are_hinted_at_a_plot(tmp_path: Path, clips: Clips) -> None:
    pytest.importorskip("matplotlib")
    assert run_cli(clips.faces(3), "--json", tmp_path / "o", *TINY).exit_code == 0
    hint = hinted(usage(run_cli("o", "--no-window", "--csv", "x", cwd=tmp_path)))
    assert hint == ["plot", "o"]
    assert run_cli(*hint, cwd=tmp_path).exit_code == 0
    assert "tracker plot gone.jsonl" in usage(run_cli("gone.jsonl"))


@pytest.mark.parametrize(
    ("typed", "meant"), [("bnech", "bench"), ("inf", "info"), ("Demo", "demo"), ("plots", "plot")]
)
def test_a_misspelt_command_is_suggested(tmp_path: Path, typed: str, meant: str) -> None:
    message = usage(run_cli(typed, cwd=tmp_path))
    assert hinted(message) == [meant]
    assert run_cli(meant, "--help", cwd=tmp_path).exit_code == 0


def test_a_word_that_is_nothing_is_told_where_the_commands_are(tmp_path: Path) -> None:
    assert "tracker --help lists the commands" in usage(run_cli("dance", cwd=tmp_path))


@pytest.mark.parametrize("name", ["photos", "videos", "holiday", "infinity"])
def test_a_word_that_resembles_no_command_is_told_to_be_missing(tmp_path: Path, name: str) -> None:
    message = usage(run_cli(name, "--output", "o", cwd=tmp_path))
    assert f"there is no file or folder {name};" in message
    assert "did you mean" not in message


def test_a_file_that_is_named_like_a_command_is_reached_by_its_path(tmp_path: Path) -> None:
    portrait(tmp_path / "info")
    assert "backends" in run_cli("info", cwd=tmp_path).stdout
    assert run_cli("./info", "--json", "o", *TINY, cwd=tmp_path).exit_code == 0
    assert json_lines(tmp_path / "o")[0]["source"] == "info"
    assert "./info" in usage(run_cli("--json", "p", "info", *TINY, cwd=tmp_path))


@pytest.mark.parametrize("name", ["0", "/dev/video7", "rtsp://user:secret@host/stream"])
def test_cameras_and_streams_are_given_by_their_option(name: str) -> None:
    message = usage(run_cli(name))
    assert "--camera " in message
    assert "secret" not in message


@pytest.mark.parametrize("name", ["gone.mp4", "no/such/folder", "gone.jpg", "[x]a.mp4", "[/red]bad.mkv"])
def test_a_file_that_is_not_there_is_an_error_of_one_line(tmp_path: Path, name: str) -> None:
    assert_one_line_error(run_cli(name, "--json", "o", *TINY, cwd=tmp_path), name)
    if name.endswith((".mp4", ".mkv")):
        assert_one_line_error(run_cli(name, "--output", "o.mp4", *TINY, cwd=tmp_path), name)


def test_an_empty_name_among_the_files_is_wrong_usage(tmp_path: Path) -> None:
    assert "an empty name" in usage(run_cli("", "--json", "o", *TINY, cwd=tmp_path))


def test_pictures_without_an_output_get_one_that_works(tmp_path: Path) -> None:
    portrait(tmp_path / "a.jpg")
    message = usage(run_cli("a.jpg", *LIGHT_ARGUMENTS, cwd=tmp_path))
    remedy = re.search(r"--output \w+", message)
    assert remedy
    assert run_cli("a.jpg", *remedy[0].split(), *LIGHT_ARGUMENTS, cwd=tmp_path).exit_code == 0
    assert (tmp_path / "marked" / "a.jpg").exists()


def test_without_a_display_the_remedy_works(tmp_path: Path, clips: Clips) -> None:
    done = run_cli(clips.faces(3), *LIGHT_ARGUMENTS, cwd=tmp_path)
    assert_one_line_error(done, "no display")
    remedy = done.stderr.split("add ")[1].split()
    assert run_cli(clips.faces(3), *remedy, *LIGHT_ARGUMENTS, cwd=tmp_path).exit_code == 0
    with_output = run_cli(clips.faces(3), "--csv", "o.csv", *LIGHT_ARGUMENTS, cwd=tmp_path)
    assert with_output.stderr.split("add ")[1].split() == ["--no-window"]


def test_without_a_display_or_a_named_camera_other_inputs_are_named(tmp_path: Path) -> None:
    done = run_cli(*LIGHT_ARGUMENTS, cwd=tmp_path)
    assert_one_line_error(done, "no display", "tracker demo, or tracker FILE --no-window --json out.jsonl")
    named = run_cli("--camera", "0", *LIGHT_ARGUMENTS, cwd=tmp_path)
    assert_one_line_error(named, "no display")
    assert "tracker demo" not in named.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert_one_line_error(run_cli("pipe.mp4", "--json", "o", *TINY, cwd=tmp_path), "is a pipe")


def test_limits_on_score_and_size_reach_runs_and_batches(tmp_path: Path, clips: Clips) -> None:
    for number, limits in enumerate((("--min-face", "1"), ("--min-face", "300"), ("--min-score", "1"))):
        out = tmp_path / str(number)
        assert run_cli(clips.faces(3), *limits, "--json", f"{out}.jsonl", *TINY).exit_code == 0
        batch = ("batch", clips.faces(3), "--output", out, *limits, *LIGHT_ARGUMENTS, "--jobs", "1")
        assert run_cli(*batch).exit_code == 0
        (results,) = out.glob("*.jsonl")
        for path in (results, tmp_path / f"{number}.jsonl"):
            assert [len(line["faces"]) for line in json_lines(path)] == [int(number == 0)] * 3


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--min-score", "1.1"),
        *product(("--min-score", "--min-face"), ("-1", "inf", "-inf", "nan", "many")),
    ],
)
def test_wrong_limits_are_wrong_usage_that_names_the_option(tmp_path: Path, option: str, value: str) -> None:
    for command in ((), ("batch",)):
        done = run_cli(*command, "gone.mp4", option, value, "--output", "o", cwd=tmp_path)
        assert option in usage(done)
