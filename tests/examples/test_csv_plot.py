from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tests.examples.running import run_example
from tests.results import frames_of_one_face
from tracker.sinks.csv_table import CSV_HEADER, CsvSink


def test_a_plot_and_a_line_for_each_person(blinks: Path, tmp_path: Path) -> None:
    assert run_example("record", blinks, "--to", "points.csv", cwd=tmp_path).exit_code == 0
    done = run_example("csv_plot", "points.csv", "out.png", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    header, _, line = done.stdout.splitlines()
    summary = dict(zip(header.split(), line.split()[1:], strict=True))
    assert summary["blinks"] == "3"
    assert float(summary["seconds"]) == pytest.approx(3.36)
    assert 0.25 < float(summary["eyes"]) < 0.35
    image = cv2.imread(str(tmp_path / "out.png"))
    assert image is not None
    assert image.shape == (840, 720, 3)
    assert image.std() > 10


def test_a_table_without_a_face_or_of_another_kind_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text(",".join(CSV_HEADER) + "\n")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for name in ("empty.csv", "other.csv", "gone.csv"):
        done = run_example("csv_plot", name, cwd=tmp_path)
        assert done.exit_code == 1
        assert done.stderr.startswith("csv_plot: "), done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "plot.png").exists()


def test_the_columns_that_are_plotted_are_those_of_the_tracker(tmp_path: Path) -> None:
    with CsvSink(tmp_path / "a.csv") as sink:
        for result in frames_of_one_face(5):
            sink.write(result)
    assert run_example("csv_plot", "a.csv", cwd=tmp_path).exit_code == 0
    assert (tmp_path / "plot.png").exists()
