"""``tracker plot``: from the results of a run to a drawing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cache import Clips
from tests.cli import assert_one_line_error, run_cli
from tests.results import FAILURE, frames_of_one_face, write_json_lines
from tracker.reports.plot.ours import is_plot
from tracker.types import FrameResult

pytest.importorskip("matplotlib")


def test_results_of_a_run_are_drawn(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(6)
    results = tmp_path / "o.jsonl"
    assert run_cli("--video", video, "--no-window", "--json", results, *LIGHT_ARGUMENTS).exit_code == 0
    done = run_cli("plot", results)
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{tmp_path / 'o.png'}\n", "")
    image = cv2.imread(str(tmp_path / "o.png"))
    assert image is not None
    assert image.shape[1] == 1560
    done = run_cli("plot", results, "--output", tmp_path / "o.html")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "o.html").read_text().startswith("<!doctype html>")


def test_an_incomplete_file_is_drawn_with_a_note(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", frames_of_one_face(5))
    path.write_bytes(path.read_bytes()[:-20])
    done = run_cli("plot", path)
    assert done.exit_code == 0
    assert done.stderr == f"tracker: {path} breaks off in line 5: drawn up to there\n"
    assert (tmp_path / "o.png").exists()


def test_a_file_without_results_is_one_line_of_error(tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").write_text("frame,id\n1,2\n")
    assert_one_line_error(run_cli("plot", tmp_path / "o.jsonl"), "o.jsonl:1", "--json")
    assert not (tmp_path / "o.png").exists()


def test_invalid_outputs_are_refused(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", frames_of_one_face(), FAILURE)
    assert run_cli("plot", path, "--output", tmp_path / "o.pdf").exit_code == 2
    assert run_cli("plot", ".").exit_code == run_cli("plot", "").exit_code == 2
    assert_one_line_error(
        run_cli("plot", path, "--output", tmp_path / "none" / "o.png"), "there is no folder"
    )
    results = path.rename(tmp_path / "o.png")
    assert_one_line_error(run_cli("plot", results), "it is the input")
    assert results.read_bytes().startswith(b'{"source"')


def test_missing_matplotlib_is_one_line_of_error(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", frames_of_one_face())
    done = run_cli("plot", path, without=["matplotlib"])
    assert_one_line_error(done, "pip install 'tracker68[plot]'")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "o.jsonl")
    for results in (tmp_path / "o.jsonl", tmp_path, Path("/dev/zero")):
        done = run_cli("plot", results, "--output", tmp_path / "o.png")
        assert_one_line_error(done, f"{results} is not a file", "--json")
    assert not (tmp_path / "o.png").exists()


@pytest.mark.parametrize("named", [False, True])
def test_a_picture_is_never_replaced_by_a_plot_of_its_results(tmp_path: Path, named: bool) -> None:
    path = write_json_lines(tmp_path / "photo.jsonl", [FrameResult((), 0, 0.0, "photo.png", (9, 9))])
    picture = tmp_path / "photo.png"
    cv2.imwrite(str(picture), np.zeros((9, 9, 3), np.uint8))
    before = picture.read_bytes()
    done = run_cli("plot", path, *(["--output", picture] if named else []))
    other = tmp_path / "photo-plot.png"
    assert_one_line_error(done, "photo.png: it exists and is not a plot", f"--output {other}")
    assert picture.read_bytes() == before
    for _ in range(2):  # a plot is replaced
        assert run_cli("plot", path, "--output", other).exit_code == 0
    assert cv2.imread(str(other)) is not None


@pytest.mark.parametrize("suffix", [".png", ".html"])
def test_a_plot_is_replaced_by_the_next_one_and_other_files_by_name_only(tmp_path: Path, suffix: str) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", frames_of_one_face())
    target = tmp_path / f"o{suffix}"
    target.write_text("something else")
    named = ["--output", target] if suffix == ".html" else []
    if not named:
        assert_one_line_error(run_cli("plot", path), "it exists and is not a plot")
        target.unlink()
    for _ in range(2):
        assert run_cli("plot", path, *named).exit_code == 0
    assert is_plot(target)
