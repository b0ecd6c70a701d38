"""Comparison with peers: contenders as processes, rounds, ratios."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import typer
from typer.testing import CliRunner

from benchmarks import peers
from benchmarks.contender import Contender, RoundTimes
from benchmarks.peers import WARM_UP, Entrant, Ours, compete, entrants, limited_cores, write_clips
from tracker.errors import BenchError

app = typer.Typer()
app.command()(peers.main)

ANSWERING = """
import json, sys
print(json.dumps({"ready": "fake 1"}), flush=True)
for _ in sys.stdin:
    print(json.dumps({"ms": [%s] * 30, "found": 30}), flush=True)
"""


def fake(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_contender_measures_rounds() -> None:
    with Contender("fake", fake(ANSWERING % 2.5)) as contender:
        assert contender.version == "fake 1"
        assert contender.round().ms == [2.5] * 30
        assert contender.round().found == 30


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import sys; sys.exit('no module named mesh')", "fake died: no module named mesh"),
        ("print('hello')", "fake talks nonsense"),
        ("print('[1]')", "fake talks nonsense"),
        ("print('{}')", "fake talks nonsense"),
        ("import time; time.sleep(60)", "fake gave no answer for 1 s"),
    ],
)
def test_a_contender_that_does_not_start_is_one_line(code: str, error: str) -> None:
    with pytest.raises(BenchError, match=f"^{error}"):
        Contender("fake", fake(code), limit_s=1 if "sleep" in code else 30)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("sys.stdin.readline(); sys.exit('out of memory')", "fake died: out of memory"),
        ("sys.stdin.readline(); print('{\"ms\": 3}', flush=True); sys.stdin.read()", "fake talks nonsense"),
        ("sys.stdin.readline(); time.sleep(60)", "fake gave no answer for 2 s"),
    ],
)
def test_a_contender_that_fails_in_a_round_is_one_line_and_its_process_ends(code: str, error: str) -> None:
    start = "import sys, time; print('{\"ready\": 1}', flush=True); "
    with Contender("fake", fake(start + code), limit_s=2) as contender:
        with pytest.raises(BenchError, match=f"^{error}"):
            contender.round()
        process = contender.process
    assert process.poll() is not None


def test_a_missing_interpreter_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"cannot be started.*No such file"):
        Contender("fake", [str(tmp_path / "python")])


@pytest.mark.slow
def test_contenders_take_turns_and_ratios_are_to_the_first_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []
    real = Contender.round

    def recorded(self: Contender) -> RoundTimes:
        turns.append(self.name)
        return real(self)

    monkeypatch.setattr(Contender, "round", recorded)
    started = [
        Entrant(name, "video", fake(ANSWERING % ms))
        for name, ms in (("mediapipe", 2.0), ("ours", 5.0), ("dlib", 8.0))
    ]
    results = compete(started, rounds=2)
    assert turns == ["mediapipe", "ours", "dlib"] * 2
    assert [one.ratio for one in results] == [one.mean_ratio for one in results] == [1.0, 2.5, 4.0]
    assert [one.median_ms for one in results] == [2.0, 5.0, 8.0]
    assert {(one.frames, one.found) for one in results} == {(60 - WARM_UP["video"], 60)}


@pytest.mark.slow
def test_ratios_are_to_the_first_peer_in_the_same_mode() -> None:
    figures = (
        ("dlib", "video", 2.0),
        ("ours", "video", 3.0),
        ("dlib", "stills", 4.0),
        ("ours", "stills", 20.0),
    )
    started = [Entrant(name, mode, fake(ANSWERING % ms)) for name, mode, ms in figures]
    results = compete(started, rounds=1)
    assert [(one.mode, one.ratio) for one in results] == [
        ("video", 1.0),
        ("video", 1.5),
        ("stills", 1.0),
        ("stills", 5.0),
    ]
    assert [one.frames for one in results] == [30 - WARM_UP[one.mode] for one in results]


def test_the_mean_counts_every_frame_and_the_median_the_middle_one() -> None:
    """Of the 10 frames that count in a round of 30, two take 60 ms and the others 10."""
    code = ANSWERING.replace("[%s] * 30", "[99.0] * 20 + ([10.0] * 4 + [60.0]) * 2")
    (only,) = compete([Entrant("dlib", "video", fake(code))], rounds=1)
    assert (only.median_ms, only.mean_ms) == (10.0, 20.0)


def test_without_a_peer_there_is_no_ratio() -> None:
    (only,) = compete([Entrant("ours", "video", fake(ANSWERING % 3.0))], rounds=1)
    assert (only.ratio, only.mean_ratio) == (None, None)


def test_contenders_start_with_the_peers(tmp_path: Path) -> None:
    path, ours = tmp_path / "f.npy", [Ours("a", "cpu", 3), Ours("b", "cuda", 3, 8)]
    peer, first, second = entrants("stills", path, {"dlib": tmp_path / "python"}, ours)
    assert [one.name for one in (peer, first, second)] == ["dlib", "a on cpu", "b on cuda"]
    assert {one.mode for one in (peer, first, second)} == {"stills"}
    assert peer.command[0] == str(tmp_path / "python")
    assert peer.command[-2:] == [str(path), "stills"]
    assert first.command[-6:] == [str(path), "stills", "a", "cpu", "3", "1"]
    assert second.command[-6:] == [str(path), "stills", "b", "cuda", "3", "8"]


def test_stills_are_every_tenth_frame(tmp_path: Path) -> None:
    paths = write_clips(tmp_path, 15)
    video, stills = np.load(paths["video"]), np.load(paths["stills"])
    assert len(video) == WARM_UP["video"] + 15
    assert np.array_equal(stills, video[[0, 10, 20, 30]])


@pytest.mark.slow
def test_an_unknown_mode_is_one_line(tmp_path: Path) -> None:
    (wrong,) = entrants("film", tmp_path / "f.npy", {}, [Ours("unet-light", "cpu", 1)])
    with pytest.raises(BenchError, match="died: unknown mode 'film': choose one of video, stills"):
        Contender(wrong.name, wrong.command)


@pytest.mark.slow
def test_the_command_measures_our_tracker_and_writes_a_report(tmp_path: Path) -> None:
    usable = getattr(os, "sched_getaffinity", lambda _: None)(0)
    path = tmp_path / "p.json"
    options = "--frames 10 --rounds 1 --threads 1 --stills --max-faces 8"
    result = CliRunner().invoke(app, [*options.split(), "--json", str(path)])
    assert result.exit_code == 0, result.output
    report = json.loads(path.read_text())
    video, stills = report["standings"]
    assert report["cores"] == (1 if usable else os.cpu_count())
    assert report["max_faces"] == 8
    assert (video["mode"], video["frames"], video["found"]) == ("video", 10, WARM_UP["video"] + 10)
    assert (stills["mode"], stills["frames"], stills["found"]) == ("stills", 1, 3)
    for one in (video, stills):
        assert "resnet18" in one["version"]
        assert 0 < one["mean_ms"] < 60_000
    assert getattr(os, "sched_getaffinity", lambda _: None)(0) == usable


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot hold a process to cores")
def test_no_more_cores_are_reported_than_there_are() -> None:
    usable = os.sched_getaffinity(0)
    with limited_cores(len(usable) + 1) as cores:
        assert cores == len(usable)
    with limited_cores(1) as cores:
        assert cores == len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == usable


@pytest.mark.slow
def test_an_unknown_backend_is_one_line() -> None:
    result = CliRunner().invoke(app, ["--backend", "tpu", "--frames", "10"])
    assert isinstance(result.exception, BenchError)
    assert "unknown backend 'tpu'" in str(result.exception)
