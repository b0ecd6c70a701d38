from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.results import faces_in_a_row, three_measured_faces
from tracker.errors import MisuseError, ResultsError
from tracker.sinks.csv_table import CSV_HEADER, CsvSink, csv_header, read_table, results_table

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
        ["0.3124", "", "0.05", "-12.35", "4.0", "180.0", "3"],
        ["0.3", "0.29", "", "", "", "", "0"],
        ["", "", "", "", "", "", "0"],
    ]


def test_a_file_name_that_is_not_utf8_is_escaped(tmp_path: Path) -> None:
    with CsvSink(tmp_path / "o.csv") as sink:
        sink.write(faces_in_a_row(source="müde\udcff.png"))
    assert (tmp_path / "o.csv").read_text("utf-8").splitlines()[1].startswith("müde\\udcff.png,12,")


def test_a_table_of_results_has_the_columns_and_cells_of_the_csv(tmp_path: Path) -> None:
    results = [three_measured_faces(), faces_in_a_row(0), faces_in_a_row(1, index=13)]
    with CsvSink(tmp_path / "a.csv") as sink:
        for result in results:
            sink.write(result)
    table = results_table(results)
    header, *rows = csv.reader((tmp_path / "a.csv").read_text().splitlines())
    assert list(table) == header
    assert {len(column) for column in table.values()} == {len(rows)} == {4}
    for i, row in enumerate(rows):
        cells = [column[i] for column in table.values()]
        assert ["" if cell is None else str(cell) for cell in cells] == row
    assert all(isinstance(value, float | None) for value in (*table["x0"], *table["yaw_deg"]))
    assert results_table([]) == {name: [] for name in CSV_HEADER}


@pytest.mark.parametrize("name", ["=1+1.png", "+1.png", "-a.png", "@x.png", "'=1.png", "''-1.png"])
def test_text_that_a_spreadsheet_would_run_gets_a_quote_and_is_read_back(tmp_path: Path, name: str) -> None:
    """OWASP, CSV Injection: a single quote before it."""
    with CsvSink(tmp_path / "o.csv") as sink:
        sink.write(faces_in_a_row(source=name))
    _, row = csv.reader((tmp_path / "o.csv").read_text("utf-8").splitlines())
    assert row[0] == f"'{name}"
    assert read_table(tmp_path / "o.csv")["source"] == [name]


@pytest.mark.parametrize("name", ["a.png", "'a.png", "a=1.png", "a-b.png", " =1.png"])
def test_other_text_is_not_changed(tmp_path: Path, name: str) -> None:
    with CsvSink(tmp_path / "o.csv") as sink:
        sink.write(faces_in_a_row(source=name))
    _, row = csv.reader((tmp_path / "o.csv").read_text("utf-8").splitlines())
    assert row[0] == name
    assert read_table(tmp_path / "o.csv")["source"] == [name]


@pytest.mark.parametrize("name", ["\t=1", "\r=1", "a\x1b[2Jb", "a\x9b2Jb", "a\u202egpj.exe", "a\nb"])
def test_control_characters_never_reach_a_table(tmp_path: Path, name: str) -> None:
    with CsvSink(tmp_path / "o.csv") as sink:
        sink.write(faces_in_a_row(source=name))
    lines = (tmp_path / "o.csv").read_bytes().decode().split("\n")
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert lines[1].startswith(name.encode("unicode_escape").decode())


def test_negative_numbers_stay_numbers(tmp_path: Path) -> None:
    results = [three_measured_faces()]
    with CsvSink(tmp_path / "o.csv") as sink:
        sink.write(results[0])
    _, row, *_ = csv.reader((tmp_path / "o.csv").read_text("utf-8").splitlines())
    assert "-12.35" in row
    assert read_table(tmp_path / "o.csv") == results_table(results)


def _row(time: str) -> str:
    return ",".join(CSV_HEADER) + f"\na.mp4,0,{time},1" + ",0" * 148 + "\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n", r":1: not the header"),
        (",".join(CSV_HEADER) + "\n1,2\n", r":2: expected 152 cells, got 2"),
        (",".join(CSV_HEADER) + "\n" + ",".join(["x"] * 152) + "\n", r":2: 'x' is no whole number"),
        (_row("1_0"), r":2: '1_0' is no decimal number"),
        (_row("nan"), r":2: 'nan' is no decimal number"),
        (_row("\u0663"), r":2: '\u0663' is no decimal number"),
        (",".join(csv_header(0)) + "\na.mp4" + ",0" * 15 + "\n", r":1: not the header"),
        ("\udcff", "cannot read"),
    ],
)
def test_another_table_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "o.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ResultsError, match=words):
        read_table(tmp_path / "o.csv")
    with pytest.raises(ResultsError, match="cannot read"):
        read_table(tmp_path / "gone.csv")


def test_a_single_result_is_a_table_and_other_things_are_refused() -> None:
    result = three_measured_faces()
    assert results_table(result) == results_table([result])
    for wrong, named in ((None, "None"), (["a"], "'a'"), ("a", "'a'"), (result.faces, "TrackedFace")):
        with pytest.raises(MisuseError, match=rf"results .*FrameResult.* got .*{named}"):
            results_table(wrong)  # type: ignore[arg-type]
