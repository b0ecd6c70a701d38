"""Checkpoint files: what is kept, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fake_run import fake_tracker, frames
from tracker.errors import SinkError
from tracker.runs.checkpoints import (
    CHECKPOINT_EVERY,
    FORMAT,
    Checkpoint,
    Checkpoints,
    Ended,
    ImagesProgress,
    Progress,
    VideoProgress,
)
from tracker.sources.images.source import ReadFailure
from tracker.tracking.state import TrackerState

FAILURES = ImagesProgress((ReadFailure("a.png", "not an image"),))


def begin(path: Path, lines: int) -> None:
    """Write ``lines`` lines of results, as a run that is killed after the last."""
    with Checkpoints(path, {"input": "a"}) as checkpoints:
        checkpoints.begin()
        path.write_text("".join(f"{i}\n" for i in range(lines)))
        checkpoints.note(lines, lambda: FAILURES)


def resumed(path: Path) -> Checkpoint:
    with Checkpoints(path, {"input": "a"}, resume=True) as checkpoints:
        return checkpoints.start


def beside(path: Path) -> Path:
    return path.with_name(path.name + ".resume")


def test_a_resumed_run_starts_at_its_last_checkpoint_and_drops_later_results(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    begin(out, CHECKPOINT_EVERY)
    kept = out.read_bytes()
    with out.open("a") as file:
        file.write('50\n51\n{"cut of')
    start = resumed(out)
    assert (start.done, start.progress) == (CHECKPOINT_EVERY, FAILURES)
    assert out.read_bytes() == kept


def test_nothing_is_written_between_checkpoints(tmp_path: Path) -> None:
    begin(tmp_path / "o.jsonl", CHECKPOINT_EVERY - 1)
    assert resumed(tmp_path / "o.jsonl") == Checkpoint()


def test_without_results_there_is_nothing_to_resume(tmp_path: Path) -> None:
    assert resumed(tmp_path / "o.jsonl") == Checkpoint()
    (tmp_path / "o.jsonl").write_text("")
    assert resumed(tmp_path / "o.jsonl") == Checkpoint()


@pytest.mark.parametrize("error", [None, "in.mp4 is damaged"])
def test_the_end_of_a_resumed_run_is_kept_and_that_of_another_is_not(
    error: str | None, tmp_path: Path
) -> None:
    out = tmp_path / "o.jsonl"
    begin(out, CHECKPOINT_EVERY)
    with Checkpoints(out, {"input": "a"}, resume=True) as checkpoints:
        checkpoints.begin()
        checkpoints.end(CHECKPOINT_EVERY, error)
    assert resumed(out).progress == Ended(error)
    with Checkpoints(out, {"input": "a"}) as checkpoints:
        checkpoints.begin()
        checkpoints.end(CHECKPOINT_EVERY, error)
    assert not beside(out).exists()


def state_of_a_tracker() -> TrackerState:
    tracker = fake_tracker()
    for frame in frames(3):
        tracker.step(frame)
    return tracker.state()


@pytest.mark.parametrize(
    "progress",
    [None, FAILURES, ImagesProgress(), Ended(), Ended("damaged"), VideoProgress(state_of_a_tracker())],
    ids=lambda progress: type(progress).__name__,
)
def test_a_checkpoint_survives_its_file(progress: Progress | None) -> None:
    checkpoint = Checkpoint(0 if progress is None else 7, 100, 5, progress)
    text = json.dumps(checkpoint.to_json())
    assert json.dumps(Checkpoint.from_json(json.loads(text)).to_json()) == text


@pytest.mark.parametrize(
    "changes",
    [
        {"done": -1},
        {"size": "5"},
        {"crc32": None},
        {"progress": None},
        {"progress": 5},
        {"progress": {"ended": 5}},
        {"progress": {"images": [["a"]]}},
        {"progress": {"images": [["a", 5]]}},
        {"progress": {"images": [], "video": {}}},
        {"progress": {"video": {"tracks": "os"}}},
        {"progress": {"other": 1}},
        {"more": 1},
    ],
)
def test_other_data_is_no_checkpoint(changes: dict[str, Any]) -> None:
    data = Checkpoint(7, 100, 5, Ended()).to_json()
    with pytest.raises(ValueError):
        Checkpoint.from_json({**data, **changes})


@pytest.mark.parametrize("data", [None, [], "x", {"done": 1}])
def test_other_json_is_no_checkpoint(data: object) -> None:
    with pytest.raises(ValueError, match="not a checkpoint"):
        Checkpoint.from_json(data)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("other run", 'input was "a", now "b"'),
        ("other version", "other version"),
        ("shorter results", "was changed"),
        ("changed results", "was changed"),
        ("cut off", "cannot be used"),
        ("nested", "cannot be used"),
        ("no object", "cannot be used"),
        ("hostile", "cannot be used"),
        ("removed", "complete or of other origin"),
    ],
)
def test_a_run_that_cannot_be_resumed_is_refused_and_its_results_stay(
    damage: str, reason: str, tmp_path: Path
) -> None:
    out = tmp_path / "o.jsonl"
    begin(out, CHECKPOINT_EVERY)
    file, text = beside(out), beside(out).read_text()
    match damage:
        case "other version":
            file.write_text(text.replace(f'"format": {FORMAT}', f'"format": {FORMAT - 1}'))
        case "shorter results":
            out.write_bytes(out.read_bytes()[:-5])
        case "changed results":
            out.write_bytes(b"x" + out.read_bytes()[1:])
        case "cut off":
            file.write_text(text[: len(text) // 2])
        case "nested":
            file.write_text("[" * 200_000)
        case "no object":
            file.write_text("[]")
        case "hostile":
            file.write_text(text.replace('{"images":', '{"video":'))
        case "removed":
            file.unlink()
    before = out.read_bytes()
    with pytest.raises(SinkError, match=reason):
        Checkpoints(out, {"input": "b" if damage == "other run" else "a"}, resume=True)
    assert out.read_bytes() == before


def test_a_refused_run_holds_no_lock(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    out.write_text("results\n")
    with pytest.raises(SinkError, match="other origin"):
        resumed(out)
    with Checkpoints(out, {}), pytest.raises(SinkError, match="another run is writing to it"):
        Checkpoints(out, {})


def test_the_checkpoint_of_a_long_name_has_a_name_that_fits(tmp_path: Path) -> None:
    out = tmp_path / (249 * "a" + ".jsonl")
    begin(out, CHECKPOINT_EVERY)
    assert len(list(tmp_path.iterdir())) == 2
    assert resumed(out).done == CHECKPOINT_EVERY
