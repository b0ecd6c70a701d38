from __future__ import annotations

from pathlib import Path

from tests.media import picture
from tests.results import FAILURE, faces_in_a_row
from tracker.drawing.picture import Picture
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.images import ImageSink
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.labels import DlibSink, PtsSink
from tracker.sinks.openface import OpenFaceSink
from tracker.sinks.osc import OscSink
from tracker.sinks.parquet import ParquetSink
from tracker.sinks.protocols import FailureSink, FakePictureSink, FakeResultSink, PictureSink, ResultSink
from tracker.sinks.video.delayed import DelayedSink
from tracker.sinks.video.numbered import NumberedImageSink
from tracker.sinks.video.sink import VideoSink
from tracker.sinks.virtual_camera import VirtualCamera
from tracker.system.closing import Closing

# The type checker holds every shipped sink to its protocol here.
RESULT_SINKS: tuple[type[ResultSink], ...] = (
    CsvSink, DlibSink, FakeResultSink, JsonSink, OpenFaceSink, OscSink, ParquetSink, PtsSink,
)  # fmt: skip
PICTURE_SINKS: tuple[type[PictureSink], ...] = (
    DelayedSink, FakePictureSink, ImageSink, NumberedImageSink, VideoSink, VirtualCamera,
)  # fmt: skip
FAILURE_SINKS: tuple[type[FailureSink], ...] = (FakeResultSink, JsonSink, ParquetSink)


def test_every_sink_is_a_context_manager() -> None:
    for sink in (*RESULT_SINKS, *PICTURE_SINKS, *FAILURE_SINKS):
        assert issubclass(sink, Closing)


def test_failure_sinks_are_told_from_others(tmp_path: Path) -> None:
    with JsonSink(tmp_path / "o.jsonl") as lines, CsvSink(tmp_path / "o.csv") as table:
        assert isinstance(lines, FailureSink)
        assert not isinstance(table, FailureSink)
    assert {sink for sink in RESULT_SINKS if issubclass(sink, FailureSink)} == set(FAILURE_SINKS)


def test_the_fakes_keep_what_they_were_given() -> None:
    result, shown = faces_in_a_row(), Picture(picture(1))
    with FakeResultSink() as numbers, FakePictureSink() as pictures:
        numbers.write(result)
        numbers.write_failure(FAILURE)
        pictures.write(shown)
        assert not numbers.closed
    assert (numbers.results, numbers.failures, pictures.pictures) == ([result], [FAILURE], [shown])
    assert numbers.closed
    assert pictures.closed
