from __future__ import annotations

import csv
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cache import Clips
from tests.cli import REPO, assert_one_line_error, run_cli
from tests.disk import file_size_limit
from tests.results import FAILURE, frames_of_one_face, read_json_lines, write_json_lines
from tracker.errors import SinkError
from tracker.runs.outputs import OutputContext, open_outputs
from tracker.runs.targets import OutputTargets
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.parquet import METADATA_KEY, ParquetSink
from tracker.types import FrameResult

parquet = pytest.importorskip("pyarrow.parquet")


def records(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return rows


def as_json(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of frames with at most one face in the form of JSON lines."""
    lines = []
    for row in rows:
        line = {name: row[name] for name in ("source", "frame", "time_s", "width", "height")}
        line["faces"] = [] if row["id"] is None else [_face(row)]
        lines.append(line | ({"error": row["error"]} if row["error"] else {}))
    return lines


def _face(row: dict[str, Any]) -> dict[str, Any]:
    measures = {name: row[name] for name in ("mouth_open", "yaw_deg", "pitch_deg", "roll_deg", "blinks")}
    return {
        "id": row["id"],
        "box": [row[f"{name}_box"] for name in ("x0", "y0", "x1", "y1")],
        "score": row["score"],
        "landmarks": [[row[f"{axis}{i}"] for axis in "xy"] for i in range(68)],
        "quality": row["quality"],
        "measures": {"eye_open": [row["eye_open_left"], row["eye_open_right"]], **measures},
    }


def test_values_are_those_of_the_json_lines(tmp_path: Path) -> None:
    with ParquetSink(tmp_path / "o.parquet") as table:
        for frame in frames_of_one_face(4):
            table.write(frame)
        table.write_failure(FAILURE)
    expected = read_json_lines(write_json_lines(tmp_path / "o.jsonl", frames_of_one_face(4), FAILURE))
    assert as_json(records(tmp_path / "o.parquet")) == expected


def test_the_csv_has_the_same_columns_and_numbers(tmp_path: Path) -> None:
    with CsvSink(tmp_path / "o.csv") as text, ParquetSink(tmp_path / "o.parquet") as table:
        for frame in frames_of_one_face(4):
            text.write(frame)
            table.write(frame)
    with (tmp_path / "o.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    rows = [row for row in records(tmp_path / "o.parquet") if row["id"] is not None]
    assert len(rows) == len(cells) == 3
    for row, cell in zip(rows, cells, strict=True):
        assert {name: "" if row[name] is None else str(row[name]) for name in cell} == cell


def test_types_and_metadata_are_in_the_file(tmp_path: Path) -> None:
    made_by = {"model": {"name": "m", "sha256": "0" * 64}, "settings": {"max_faces": 2}}
    with ParquetSink(tmp_path / "o.parquet", made_by=made_by) as sink:
        sink.write(frames_of_one_face(1)[0])
    schema = parquet.read_schema(tmp_path / "o.parquet")
    assert json.loads(schema.metadata[METADATA_KEY]) == made_by
    assert {str(schema.field(name).type) for name in ("frame", "id", "blinks")} == {"int64"}
    assert {str(schema.field(name).type) for name in ("time_s", "x0", "score", "yaw_deg")} == {"double"}
    assert not schema.field("frame").nullable
    assert schema.field("id").nullable


def test_a_file_without_rows_is_valid(tmp_path: Path) -> None:
    with ParquetSink(tmp_path / "o.parquet"):
        pass
    assert records(tmp_path / "o.parquet") == []


def test_long_runs_are_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.sinks.parquet._GROUP_ROWS", 10)
    with ParquetSink(tmp_path / "o.parquet") as sink:
        for frame in frames_of_one_face(95):
            sink.write(frame)
    metadata = parquet.ParquetFile(tmp_path / "o.parquet").metadata
    groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert groups == [10] * 9 + [5]
    assert [row["frame"] for row in records(tmp_path / "o.parquet")] == list(range(95))


def test_a_run_that_ends_in_an_error_keeps_its_rows(tmp_path: Path) -> None:
    def run_that_fails() -> None:
        with ParquetSink(tmp_path / "o.parquet") as sink:
            for frame in frames_of_one_face(3):
                sink.write(frame)
            raise RuntimeError("the camera fell down")

    with pytest.raises(RuntimeError, match="camera"):
        run_that_fails()
    assert len(records(tmp_path / "o.parquet")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["o.parquet"]


def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    with ParquetSink(path) as sink:
        sink.write(frames_of_one_face(1)[0])
    old = path.read_bytes()
    sink = ParquetSink(path)
    sink.write(frames_of_one_face(1)[0])
    assert path.read_bytes() == old
    sink.close()
    sink.close()


@pytest.mark.parametrize("size", [100, 20_000])
def test_a_full_disk_is_an_error_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("tracker.sinks.parquet._GROUP_ROWS", 20)
    with file_size_limit(size), pytest.raises(SinkError, match=r"cannot write .*o\.parquet"):
        _fill(ParquetSink(tmp_path / "o.parquet"))
    assert list(tmp_path.iterdir()) == []


def _fill(sink: ParquetSink) -> None:
    with sink:
        for frame in frames_of_one_face(60):
            sink.write(frame)


def test_a_name_that_looks_like_an_address_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "s3: \udcff?.parquet"
    with ParquetSink(path) as sink:
        sink.write(FrameResult((), 0, 0.0, "müde\udcff.png", (4, 4)))
    assert records(path.rename(tmp_path / "o.parquet"))[0]["source"] == "müde\\udcff.png"


def test_paths_that_cannot_be_written_are_refused_when_opened(tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(b"precious")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "none" / "o.parquet", tmp_path / "folder", tmp_path / "in.mp4"):
        with pytest.raises(SinkError, match="cannot write"):
            ParquetSink(path, [tmp_path / "in.mp4"])
    assert (tmp_path / "in.mp4").read_bytes() == b"precious"


def test_the_command_line_records_models_and_settings(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(5)
    files = ("--json", tmp_path / "o.jsonl", "--parquet", tmp_path / "o.parquet", "--csv", tmp_path / "o.csv")
    done = run_cli("--video", video, "--no-window", "--backend", "cpu", "--max-faces", 3, *files)
    assert done.exit_code == 0, done.stderr
    assert as_json(records(tmp_path / "o.parquet")) == read_json_lines(tmp_path / "o.jsonl")
    made_by = json.loads(parquet.read_schema(tmp_path / "o.parquet").metadata[METADATA_KEY])
    manifest = json.loads((REPO / "weights" / "manifest.json").read_text())["models"]["resnet18"]
    hashes = {manifest["sha256"], *(variant["sha256"] for variant in manifest["variants"].values())}
    assert made_by["model"]["sha256"] in hashes
    assert (made_by["model"]["name"], made_by["model"]["backend"]) == ("resnet18", "cpu")
    assert made_by["settings"]["max_faces"] == 3
    assert {"python", "numpy"} <= set(made_by["versions"])


def test_a_missing_pyarrow_is_named_and_old_results_stay(tmp_path: Path, clips: Clips) -> None:
    (tmp_path / "o.jsonl").write_text("results of yesterday")
    files = ("--json", tmp_path / "o.jsonl", "--parquet", tmp_path / "o.parquet")
    done = run_cli("--video", clips.faces(5), "--no-window", *files, without=["pyarrow"])
    assert_one_line_error(done, "pip install 'tracker68[parquet]'")
    assert (tmp_path / "o.jsonl").read_text() == "results of yesterday"


def test_metadata_tell_the_shape_of_pixels_that_are_not_square(tmp_path: Path) -> None:
    about = []
    for name, aspect in (("square", 1.0), ("wide", 16 / 15)):
        targets = OutputTargets(parquet=tmp_path / name)
        context = OutputContext(made_by={"model": "none"}, size=(720, 576), pixel_aspect=aspect)
        with ExitStack() as stack:
            open_outputs(stack, targets, context, ())
        about.append(json.loads(parquet.read_schema(tmp_path / name).metadata[METADATA_KEY]))
    assert about == [{"model": "none"}, {"model": "none", "pixel_aspect": 16 / 15}]
