from __future__ import annotations

import pytest

from tests.batches import planned_jobs
from tracker.runs.batch.progress import batch_progress
from tracker.runs.batch.records import Outcome


def test_failures_are_reported_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = planned_jobs(2)
    with batch_progress([good, bad]) as on_done:
        on_done(good, Outcome(1, 1))
        assert capsys.readouterr().err == ""
        on_done(bad, Outcome(error="[red] /in/1.mp4 is damaged"))
    assert capsys.readouterr().err == "failed: [red] /in/1.mp4 is damaged\n"
