"""Errors that all text outputs share, on the JSON and CSV sinks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.results import faces_in_a_row
from tracker.errors import SinkError
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.openface import OpenFaceSink
from tracker.system.files import check_output

DEV_FULL = Path("/dev/full")
needs_dev_full = pytest.mark.skipif(not DEV_FULL.exists(), reason="needs /dev/full")
TextSinkType = type[JsonSink] | type[CsvSink] | type[OpenFaceSink]

every_text_sink = pytest.mark.parametrize("sink_type", [JsonSink, CsvSink, OpenFaceSink])


@every_text_sink
def test_paths_that_cannot_be_written_are_refused_when_opened(
    tmp_path: Path, sink_type: TextSinkType
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "missing" / "o", tmp_path / "file" / "o", tmp_path / "folder"):
        with pytest.raises(SinkError, match="cannot write") as caught:
            sink_type(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs /proc, which even root cannot write")
@every_text_sink
def test_a_read_only_folder_is_named(sink_type: TextSinkType) -> None:
    with pytest.raises(SinkError, match=r"/proc/o\.csv"):
        sink_type(Path("/proc/o.csv"))


@every_text_sink
def test_the_input_is_never_overwritten(tmp_path: Path, sink_type: TextSinkType) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"precious")
    link = tmp_path / "link.mp4"
    link.symlink_to(clip)
    for path in (clip, link, tmp_path / "." / "clip.mp4"):
        with pytest.raises(SinkError, match="it is the input"):
            sink_type(path, [clip])
    assert clip.read_bytes() == b"precious"
    check_output(tmp_path / "other.mp4", [clip])


@needs_dev_full
def test_a_full_disk_fails_at_the_line_that_does_not_fit() -> None:
    sink = JsonSink(DEV_FULL)
    with pytest.raises(SinkError, match="No space left"):
        sink.write(faces_in_a_row())
    sink.close()  # the line is not written again
    sink.close()


@needs_dev_full
@pytest.mark.parametrize("sink_type", [CsvSink, OpenFaceSink])
def test_a_full_disk_fails_at_the_header_of_a_table(sink_type: type[CsvSink] | type[OpenFaceSink]) -> None:
    with pytest.raises(SinkError, match=r"/dev/full: No space left"):
        sink_type(DEV_FULL)
