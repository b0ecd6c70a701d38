"""``--quiet`` leaves only warnings and errors on standard error; ``--open`` shows what was made."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cache import Clips
from tests.cli import assert_one_line_error, run_cli, run_process
from tests.faces import astronaut
from tests.media import write_video

TINY = (*LIGHT_ARGUMENTS, "--no-window")
HIDES_CURSOR = "\x1b[?25l"
"""Control sequence at the start of a progress bar."""


def on_terminal(*args: object) -> str:
    """Return what ``tracker ARGS`` prints on a terminal that is its standard error, too."""
    command = [sys.executable, "-m", "tracker", *map(str, args)]
    code = f"import pty, sys; sys.exit(pty.spawn({command!r}) >> 8)"
    done = run_process([sys.executable, "-c", code])
    assert done.exit_code == 0, done.stdout
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("kind", ["video", "pictures", "batch"])
def test_a_quiet_run_shows_no_progress_on_a_terminal(tmp_path: Path, kind: str, clips: Clips) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), astronaut())
    source = clips.faces(3) if kind == "video" else tmp_path / "a.png"

    def arguments(name: str) -> tuple[object, ...]:
        if kind == "batch":  # each time into another folder: what is done is skipped
            return "batch", source, "--output", tmp_path / name, "--jobs", "1", *LIGHT_ARGUMENTS
        return source, "--json", tmp_path / name, *TINY

    assert HIDES_CURSOR in on_terminal(*arguments("loud"))
    for option in ("--quiet", "-q"):
        said = on_terminal(*arguments(option), option)
        assert HIDES_CURSOR not in said
        assert kind == "batch" or said == ""  # a batch prints its summary, on standard output


def test_notes_are_left_out_and_warnings_stay(tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", 3, size=(1280, 720), audio="aac")
    output = ("--output", tmp_path / "o.gif", *TINY)
    loud, still = (run_cli(tmp_path / "in.mp4", *output, *more) for more in ((), ("--quiet",)))
    assert "the GIF is written at" in loud.stderr
    assert still.stderr == ""
    blurred = ("--output", tmp_path / "o.mp4", "--anonymise", "blur", *TINY)
    assert "voices can be recognised" in run_cli(tmp_path / "in.mp4", *blurred, "--quiet").stderr
    assert_one_line_error(run_cli(tmp_path / "gone.mp4", *blurred, "--quiet"), "gone.mp4")


def test_open_shows_the_output_once_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clips: Clips
) -> None:
    opened: list[tuple[Path, int]] = []
    monkeypatch.setattr(
        "tracker.system.viewer.open_in_viewer", lambda path: opened.append((path, path.stat().st_size))
    )
    target = tmp_path / "o.mp4"
    done = run_cli(clips.faces(3), "--output", target, "--open", *TINY)
    assert (done.exit_code, done.stderr) == (0, "")
    assert opened == [(target, target.stat().st_size)]


def test_without_a_viewer_the_run_is_done_and_says_why(tmp_path: Path, clips: Clips) -> None:
    done = run_cli(clips.faces(3), "--output", tmp_path / "o.mp4", "--open", *TINY)
    assert done.exit_code == 0
    assert done.stderr.count("\n") == 1
    assert "o.mp4 is not opened: " in done.stderr
    assert (tmp_path / "o.mp4").exists()


def test_nothing_is_opened_after_an_error_or_without_an_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clips: Clips
) -> None:
    monkeypatch.setattr("tracker.system.viewer.open_in_viewer", lambda _: pytest.fail("opened"))
    assert run_cli(tmp_path / "gone.mp4", "--output", tmp_path / "o.mp4", "--open", *TINY).exit_code == 1
    done = run_cli(clips.faces(3), "--json", tmp_path / "o", "--open", *TINY)
    assert done.exit_code == 2
    assert "give --output with it" in " ".join(done.stderr.split())
