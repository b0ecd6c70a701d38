"""Report of a batch: table, summary and error."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from tests.batches import planned_jobs
from tracker.errors import BatchError, SinkError
from tracker.runs.batch.records import Outcome
from tracker.runs.batch.report import (
    SUMMARY,
    Report,
    check_summary,
    left_out_faces,
    raise_failures,
    summary_table,
    write_summary,
)


def example() -> Report:
    done, before, failed = planned_jobs(3)
    outcomes = {done: Outcome(10, 20, 1.5, left_out=4), before: Outcome(1, 2, 3.0, left_out=1)}
    outcomes[failed] = Outcome(error="it is bad")
    return Report(outcomes, {before})


def test_the_summary_has_a_row_for_each_job(tmp_path: Path) -> None:
    write_summary(example(), tmp_path)
    assert (tmp_path / SUMMARY).read_text().splitlines() == [
        "source,results,status,frames,faces,left_out,seconds,error",
        "/in/0.mp4,0.mp4.jsonl,done,10,20,4,1.5,",
        "/in/1.mp4,1.mp4.jsonl,done before,1,2,1,3.0,",
        "/in/2.mp4,2.mp4.jsonl,failed,0,0,0,0.0,it is bad",
    ]


def test_the_table_has_a_row_for_each_status(capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=100).print(summary_table(example()))
    rows = [line.strip("│ ").split("│") for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["done", "1", "10", "20", "1.5"],
        ["done before", "1", "1", "2", "3.0"],
        ["failed", "1", "0", "0", "0.0"],
    ]


def test_a_line_sums_up_the_faces_beyond_the_limit() -> None:
    assert left_out_faces(example(), 2) == (
        "at most 2 faces are kept, and more were seen in 5 frames or images of 2 jobs, as summary.csv lists; "
        "give a larger --max-faces"
    )
    assert left_out_faces(Report(), 2) == ""


def test_failures_are_an_error_that_names_the_first(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match=r"1 of 3 failed, as .*summary\.csv lists; the first: it is bad"):
        raise_failures(example(), tmp_path)
    raise_failures(Report(), tmp_path)


def test_a_summary_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / SUMMARY).mkdir()
    with pytest.raises(SinkError, match=SUMMARY):
        write_summary(example(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [SUMMARY]


def test_a_table_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    check_summary(tmp_path)
    (tmp_path / "summary.csv").write_text("day,takings\n1,2\n")
    with pytest.raises(SinkError, match=r"summary.csv: it is no summary of a batch; give --output"):
        check_summary(tmp_path)
    write_summary(example(), tmp_path)
    check_summary(tmp_path)
