"""Outputs of a run: opening in order, and passing on to every sink."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fake_run import fake_tracker, frames
from tracker.drawing.masks import Mask
from tracker.errors import SinkError
from tracker.runs.outputs import OutputContext, Outputs, open_outputs, open_pictures
from tracker.runs.targets import OutputTargets
from tracker.scheme.shipped import SCHEMES
from tracker.scheme.value import Scheme
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.images import ImageSink
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.labels import DlibSink, PtsSink
from tracker.sinks.openface import OpenFaceSink
from tracker.sinks.protocols import FakePictureSink, FakeResultSink
from tracker.sinks.video.delayed import DelayedSink
from tracker.sinks.video.numbered import NumberedImageSink
from tracker.sinks.video.sink import VideoSink
from tracker.sources.images.source import ReadFailure

MOVING = OutputContext(size=(320, 240))
STILL = OutputContext(inputs=(Path("a.png"),))


def opened(targets: OutputTargets, context: OutputContext) -> Outputs:
    with ExitStack() as stack:
        return open_outputs(stack, targets, context, open_pictures(stack, targets, context))


def test_every_sink_gets_its_kind_in_order() -> None:
    first, second, pictures = FakeResultSink(), FakeResultSink(), FakePictureSink()
    outputs = Outputs((first, second), (second,), (pictures,))
    (frame,) = frames(1)
    result = fake_tracker().step(frame)
    outputs.write_result(result)
    outputs.write_failure(ReadFailure("a.png", "not an image"))
    outputs.write_picture(frame, result, ())
    assert (len(first.results), len(second.results)) == (1, 1)
    assert (len(first.failures), len(second.failures)) == (0, 1)
    (picture,) = pictures.pictures
    assert (picture.time_s, picture.source) == (frame.time_s, frame.source)


def test_json_lines_open_last_and_are_written_first(tmp_path: Path) -> None:
    targets = OutputTargets(
        json=tmp_path / "o.jsonl",
        csv=tmp_path / "o.csv",
        openface=tmp_path / "f.csv",
        labels=tmp_path / "o.xml",
    )
    outputs = opened(targets, MOVING)
    assert [type(sink) for sink in outputs.results] == [JsonSink, OpenFaceSink, CsvSink, DlibSink]
    assert [type(sink) for sink in outputs.failures] == [JsonSink]


def test_json_lines_are_kept_when_another_result_does_not_open(tmp_path: Path) -> None:
    json = tmp_path / "o.jsonl"
    json.write_text("lines of an earlier run")
    with pytest.raises(SinkError):
        opened(OutputTargets(json=json, csv=tmp_path / "gone" / "o.csv"), MOVING)
    assert json.read_text() == "lines of an earlier run"


def test_columns_of_another_scheme_are_refused_before_any_file_is_replaced(tmp_path: Path) -> None:
    names = ("o.mp4", "o.parquet", "o.csv", "f.csv", "o.jsonl")
    for name in names:
        (tmp_path / name).write_text("old")
    output, parquet, table, openface, json = (tmp_path / name for name in names)
    targets = OutputTargets(output=output, parquet=parquet, csv=table, openface=openface, json=json)
    with pytest.raises(SinkError, match=r"f\.csv: OpenFace's columns are the points of ibug68"):
        opened(targets, OutputContext(size=(320, 240), scheme=SCHEMES["wflw98"]))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(names, "old")


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=str)
def test_every_other_target_opens_for_every_scheme(scheme: Scheme, tmp_path: Path) -> None:
    targets = OutputTargets(
        csv=tmp_path / "o.csv",
        labels=tmp_path / "o.xml",
        parquet=tmp_path / "o.parquet",
        json=tmp_path / "o.jsonl",
    )
    opened(targets, OutputContext(scheme=scheme))
    assert (tmp_path / "o.csv").read_text().strip().count(",") == 15 + 2 * scheme.n_points
    assert f"<comment>{scheme.n_points} points" in (tmp_path / "o.xml").read_text()


def test_without_targets_nothing_is_opened() -> None:
    assert opened(OutputTargets(), MOVING) == Outputs()


@pytest.mark.parametrize(
    ("name", "context", "kind"),
    [
        ("o.mp4", MOVING, VideoSink),
        ("o.mp4", OutputContext(size=(320, 240), mask=Mask()), DelayedSink),
        ("o_%03d.png", MOVING, NumberedImageSink),
        ("folder", STILL, ImageSink),
    ],
)
def test_pictures_go_to_the_sink_for_their_source(
    name: str, context: OutputContext, kind: type, tmp_path: Path
) -> None:
    (sink,) = opened(OutputTargets(output=tmp_path / name), context).pictures
    assert type(sink) is kind


@pytest.mark.parametrize(("name", "kind"), [("o.xml", DlibSink), ("labels", PtsSink)])
def test_labels_are_a_file_or_a_folder(name: str, kind: type, tmp_path: Path) -> None:
    (sink,) = opened(OutputTargets(labels=tmp_path / name), STILL).results
    assert type(sink) is kind


def test_old_json_lines_stay_when_another_output_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").write_text("old\n")
    targets = OutputTargets(json=tmp_path / "o.jsonl", csv=tmp_path / "gone" / "o.csv")
    with pytest.raises(SinkError, match="gone"):
        opened(targets, MOVING)
    assert (tmp_path / "o.jsonl").read_text() == "old\n"


def test_sinks_are_closed_with_the_stack(tmp_path: Path) -> None:
    outputs = opened(OutputTargets(json=tmp_path / "o.jsonl"), MOVING)
    (frame,) = frames(1)
    with pytest.raises((SinkError, ValueError)):
        outputs.write_result(fake_tracker().step(frame))


def test_json_lines_are_appended_to_those_of_an_earlier_run(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    path.write_text("old\n")
    opened(OutputTargets(json=path), OutputContext(append=True, size=(320, 240)))
    assert path.read_text() == "old\n"
    opened(OutputTargets(json=path), MOVING)
    assert path.read_text() == ""
