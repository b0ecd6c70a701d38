"""Fit of the admission: recovery of known coefficients, reliability, rivals, and a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import admission as command
from benchmarks.admission import Candidate, fit, probabilities, reliability, trade_off, without_rivals
from tests.shapes import canonical_points
from tracker.tracking.admission import Admission
from tracker.types import FaceBox, Landmarks
from train.data.sides import Side
from train.errors import DataError

TRUE = Admission(bias=-1.0, score=0.6, presence=0.6, quality=0.6, size=-0.5)


def drawn(count: int, seed: int = 0) -> list[Candidate]:
    """Draw candidates whose labels follow :data:`TRUE`."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        side = float(rng.uniform(15, 300))
        score, presence, quality = (float(value) for value in 1 / (1 + np.exp(-rng.normal(0, 2, 3))))
        box = FaceBox(0, 0, side, side)
        one = Candidate(f"{number}.jpg", "groups", Side.TRAINING, score, presence, quality, box, None)
        is_face = rng.random() < probabilities(TRUE, [one])[0]
        found.append(replace(one, label=0 if is_face else None))
    return found


def test_the_fit_recovers_the_coefficients_of_drawn_candidates() -> None:
    found = fit(drawn(6000))
    for name in ("bias", "score", "presence", "quality", "size"):
        # Four standard errors of a coefficient from 6000 draws.
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), abs=0.2), name


def test_the_table_and_the_tracker_give_the_same_probability() -> None:
    one = drawn(1)[0]
    points = canonical_points()
    points = (points - points.min(axis=0)) / np.ptp(points, axis=0).max() * one.box.width
    face = Landmarks(points, one.presence, np.full(68, one.quality))
    assert TRUE.probability(face, one.score) == pytest.approx(float(probabilities(TRUE, [one])[0]))


def test_probabilities_of_drawn_candidates_are_reliable() -> None:
    found = drawn(6000, seed=1)
    truth = np.array([one.label is not None for one in found])
    rows = reliability(probabilities(TRUE, found), truth)
    assert sum(row["count"] for row in rows) == len(found)
    for row in rows:
        error = 4 * np.sqrt(0.25 / row["count"])  # four standard errors of a share
        assert row["is"] == pytest.approx(row["said"], abs=error)


def test_only_the_most_confident_of_the_candidates_of_one_face_is_used() -> None:
    one, other, nothing = (replace(c, image="a.jpg") for c in drawn(3))
    upright = replace(one, label=2, presence=0.9, quality=0.9)
    turned = replace(other, label=2, presence=0.9, quality=0.3)
    nothing = replace(nothing, label=None)
    assert list(without_rivals([turned, nothing, upright])) == [nothing, upright]


def test_a_higher_threshold_admits_no_more() -> None:
    found = drawn(500)
    rows = trade_off(probabilities(TRUE, found), found, [0.2, 0.5, 0.8])
    counts = [(row["faces"], sum(row["false"].values())) for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert counts[0][0] > counts[-1][0] > 0


@pytest.mark.parametrize("label", [None, 0])
def test_candidates_of_one_kind_only_are_refused(label: int | None) -> None:
    with pytest.raises(DataError, match="hold no face, or nothing else"):
        fit([replace(one, label=label) for one in drawn(20)])


def test_a_run_fits_on_one_side_and_reports_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "candidates.jsonl"
    rows = []
    for number, one in enumerate(drawn(400)):
        side = "held out" if number % 2 else "training"
        box = [one.box.x0, one.box.y0, one.box.x1, one.box.y1]
        rows.append(
            {"image": one.image, "kind": one.kind, "side": side, "score": one.score, "label": one.label}
            | {"presence": one.presence, "quality": None if number % 7 else one.quality, "box": box}
        )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command.main(path, report=tmp_path / "out.json", plot=tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    report = json.loads((tmp_path / "out.json").read_text())
    assert sum(row["count"] for row in report["reliability"]) == 200
    assert set(report["admission"]) == {"bias", "score", "presence", "quality", "size"}
    assert "held out: faces and false ones admitted" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["{}", "[]", "nothing", '{"image": 1}'])
def test_a_line_that_is_no_candidate_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "candidates.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=r"candidates\.jsonl:1: not a candidate"):
        command.read_candidates(path)
