"""Every sink and reader takes a path as text as well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tracker
from tests.results import faces_in_a_row
from tracker import Picture

RESULTS: list[tuple[Callable[[str], tracker.JsonSink | tracker.CsvSink | tracker.OpenFaceSink], str]] = [
    (tracker.JsonSink, "o.jsonl"),
    (tracker.CsvSink, "o.csv"),
    (tracker.OpenFaceSink, "o.csv"),
]


@pytest.mark.parametrize(("kind", "name"), RESULTS)
def test_a_text_sink(
    tmp_path: Path,
    kind: Callable[[str], tracker.JsonSink | tracker.CsvSink | tracker.OpenFaceSink],
    name: str,
) -> None:
    with kind(str(tmp_path / name)) as sink:
        sink.write(faces_in_a_row())
    assert (tmp_path / name).stat().st_size


def test_readers(tmp_path: Path) -> None:
    with (
        tracker.JsonSink(str(tmp_path / "o.jsonl")) as lines,
        tracker.CsvSink(str(tmp_path / "o.csv")) as table,
    ):
        for sink in (lines, table):
            sink.write(faces_in_a_row(2))
    assert len(tracker.read_results(str(tmp_path / "o.jsonl")).lines[0].faces) == 2
    assert tracker.read_table(str(tmp_path / "o.csv"))["id"] == [1, 2]


def test_labels_and_parquet(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(b"")
    empty = faces_in_a_row(0, source="a.png")
    with tracker.DlibSink(str(tmp_path / "l.xml"), [source]) as dlib:
        dlib.write(empty)
    with tracker.PtsSink(str(tmp_path / "labels"), [source]) as pts:
        pts.write(empty)
    with tracker.ParquetSink(str(tmp_path / "o.parquet")) as parquet:
        parquet.write(faces_in_a_row())
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "l.xml", "labels", "o.parquet"}


def test_pictures(tmp_path: Path) -> None:
    picture = Picture(np.zeros((48, 64, 3), np.uint8), source="a.png")
    with tracker.VideoSink(str(tmp_path / "o.mp4")) as video:
        video.write(picture)
    with tracker.NumberedImageSink(str(tmp_path / "n_%d.png")) as numbered:
        numbered.write(picture)
    with tracker.ImageSink(str(tmp_path / "marked"), [tmp_path / "a.png"]) as images:
        images.write(picture)
    assert {path.name for path in tmp_path.iterdir()} == {"o.mp4", "n_1.png", "marked"}
