"""Short runs of the benchmarks of a long video, a growing corpus and killed runs."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import typer
from typer.testing import CliRunner

from benchmarks import corpus, kills, long_video
from tracker.errors import BenchError
from tracker.runs.batch.plan import Job


def run(main: Callable[..., None], *args: object) -> str:
    app = typer.Typer()
    app.command()(main)
    done = CliRunner().invoke(app, [*map(str, args)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.slow
def test_a_long_video_is_compared_with_its_stages_alone(tmp_path: Path) -> None:
    out = tmp_path / "o.json"
    run(long_video.main, "--minutes", 0.2, "--model", "unet-light", "--json", out)
    report = json.loads(out.read_text())
    speeds = report["frames_per_second"]
    slower = min(speeds["decode"], speeds["track"])
    assert report["share_of_slower"] == pytest.approx(speeds["run"] / slower, abs=0.01)
    assert [one["frames"] for one in report["memory"]] == sorted({300, *range(36, 361, 36)})
    assert all(30 < one["megabytes"] < 10_000 for one in report["memory"])


@pytest.mark.slow
def test_a_growing_corpus_is_timed(tmp_path: Path) -> None:
    out = tmp_path / "o.json"
    run(corpus.main, "--files", 3, "--files", 1, "--frames", 3, "--processes", 1, "--json", out)
    costs = json.loads(out.read_text())["costs"]
    assert [cost["files"] for cost in costs] == [1, 3]
    assert all(
        cost["seconds_per_file"] == pytest.approx(cost["seconds"] / cost["files"], abs=0.01) for cost in costs
    )


def test_differing_results_are_an_error(tmp_path: Path) -> None:
    for name, text in (("a", "1"), ("b", "2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jsonl").write_text(text)
    job = Job("/x", "video", "x.jsonl", 0)
    corpus.compare([job], tmp_path / "a", tmp_path / "a")
    with pytest.raises(BenchError, match=r"x\.jsonl"):
        corpus.compare([job], tmp_path / "a", tmp_path / "b")


@pytest.mark.slow
def test_killed_runs_resume_and_a_difference_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "o.json"
    run(kills.main, "--kills", 2, "--frames", 60, "--faces", 1, "--json", out)
    assert len(json.loads(out.read_text())["at_lines"]) == 2
    whole = tmp_path / "whole.jsonl"
    whole.write_text("1\n2\n")

    def ends_with(text: str) -> Callable[..., float]:
        def ended(_: Path, out: Path, *__: Any) -> float:
            out.write_text(text)
            return 1.0

        return ended

    for text in ("1\n3\n", "1\n"):
        monkeypatch.setattr(kills, "_run", ends_with(text))
        with pytest.raises(BenchError, match="differ"):
            kills.kill_and_resume(tmp_path / "in", whole, "m", 0, 1.0, random.Random(0))
