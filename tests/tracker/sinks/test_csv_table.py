from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.results import faces_in_a_row, three_measured_faces
from tracker.sinks.csv_table import CSV_HEADER, CsvSink

MEASURES = ["eye_open_left", "eye_open_right", "mouth_open", "yaw_deg", "pitch_deg", "roll_deg", "blinks"]


def test_there_is_a_row_per_face(tmp_path: Path) -> None:
    with CsvSink(tmp_path / "out.csv") as sink:
        sink.write(faces_in_a_row(2, source='odd, "name".mp4'))
        sink.write(faces_in_a_row(0))
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert tuple(rows[0]) == CSV_HEADER
    assert len(CSV_HEADER) == 9 + 136 + 7
    assert (rows[1]["source"], rows[1]["frame"], rows[1]["id"]) == ('odd, "name".mp4', "12", "2")
    x67, y67 = faces_in_a_row(2).faces[1].landmarks.points_frame[67]
    assert (float(rows[1]["x67"]), float(rows[1]["y67"])) == pytest.approx((x67, y67), abs=0.0051)
    assert float(rows[0]["x1_box"]) == pytest.approx(faces_in_a_row(2).faces[0].box.x1, abs=0.0051)


def test_measures_come_last_and_unknown_ones_are_empty(tmp_path: Path) -> None:
    with CsvSink(tmp_path / "a.csv") as sink:
        sink.write(three_measured_faces())
    header, *rows = csv.reader((tmp_path / "a.csv").read_text().splitlines())
    assert header[-8:] == ["y67", *MEASURES]
    assert [row[-7:] for row in rows] == [
        ["0.3124", "", "0.05", "-12.35", "4.0", "180.0", "3"], ["0.3", "0.29", "", "", "", "", "0"], [""] * 7,
    ]  # fmt: skip


def test_a_file_name_that_is_not_utf8_is_escaped(tmp_path: Path) -> None:
    with CsvSink(tmp_path / "o.csv") as sink:
        sink.write(faces_in_a_row(source="müde\udcff.png"))
    assert (tmp_path / "o.csv").read_text("utf-8").splitlines()[1].startswith("müde\\udcff.png,12,")
