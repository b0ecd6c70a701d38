from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.media import face_video, frame_count, picture, picture_index, write_video
from tests.results import frames_of_one_face, read_json_lines, write_json_lines
from tracker.errors import MisuseError, SinkError
from tracker.sinks.csv_table import CsvSink, read_table, results_table
from tracker.sinks.opening import FileSink, open_sink
from tracker.sources.opening import open_source
from tracker.types import FrameResult


def write(path: Path, results: list[FrameResult], with_pictures: bool = True) -> None:
    with open_sink(path) as sink:
        assert isinstance(sink, FileSink)
        for result in results:
            sink.write(result, picture(result.index) if with_pictures else None)
    assert sink.closed


@pytest.mark.parametrize("with_pictures", [True, False])
def test_a_csv_is_that_of_its_sink(tmp_path: Path, with_pictures: bool) -> None:
    results = frames_of_one_face()
    write(tmp_path / "A.CSV", results, with_pictures)
    with CsvSink(tmp_path / "b.csv") as sink:
        for result in results:
            sink.write(result)
    assert (tmp_path / "A.CSV").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert read_table(tmp_path / "A.CSV")["id"] == results_table(results)["id"]


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".json"])
def test_json_lines_are_those_of_their_sink(tmp_path: Path, suffix: str) -> None:
    results = frames_of_one_face()
    write(tmp_path / f"a{suffix}", results)
    expected = write_json_lines(tmp_path / "b.jsonl", results)
    assert (tmp_path / f"a{suffix}").read_bytes() == expected.read_bytes()
    assert [line["frame"] for line in read_json_lines(expected)] == [0, 1, 2]


def test_parquet_has_a_row_for_each_frame(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", exc_type=ImportError)
    write(tmp_path / "a.parquet", frames_of_one_face())
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table["id"].to_pylist() == [None, 1, 1]


def test_a_video_shows_the_pictures_at_their_times_with_the_sound(tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", 12, audio="aac")
    with open_source(tmp_path / "in.mp4") as source, open_sink(tmp_path / "out.mp4", source) as sink:
        for frame in source:
            result = FrameResult((), frame.index, frame.time_s, frame.source, frame.image_hw)
            sink.write(result, picture(20 + frame.index))
    with open_source(tmp_path / "out.mp4") as copy, open_source(tmp_path / "in.mp4") as original:
        times = [frame.time_s for frame in original]
        shown = [(frame.time_s, picture_index(frame.image_bgr)) for frame in copy]
        assert copy.has_audio  # type: ignore[attr-defined]  # a film
    assert shown == [(time_s, 20 + index) for index, time_s in enumerate(times)]


def test_pictures_of_no_film_become_a_video_too(tmp_path: Path) -> None:
    write(tmp_path / "a.mkv", frames_of_one_face(5))
    assert frame_count(tmp_path / "a.mkv") == 5


def test_numbered_images_and_one_image(tmp_path: Path) -> None:
    write(tmp_path / "f_%02d.png", frames_of_one_face())
    write(tmp_path / "last.png", frames_of_one_face())
    for name, index in (("f_01.png", 0), ("f_03.png", 2), ("last.png", 2)):
        read = cv2.imread(str(tmp_path / name))
        assert read is not None
        np.testing.assert_array_equal(read, picture(index))


@pytest.mark.parametrize("name", ["a.mp4", "a_%d.png", "a.png"])
def test_a_file_of_pictures_needs_one(tmp_path: Path, name: str) -> None:
    (result, *_) = frames_of_one_face()
    with open_sink(tmp_path / name) as sink, pytest.raises(MisuseError, match=r"annotate\(frame, result\)"):
        sink.write(result)


@pytest.mark.parametrize("name", ["a.csv", "a.mp4"])
def test_a_closed_file_is_not_written(tmp_path: Path, name: str) -> None:
    (result, *_) = frames_of_one_face()
    with open_sink(tmp_path / name) as sink:
        sink.write(result, picture(0))
    with pytest.raises(MisuseError, match="is closed"):
        sink.write(result, picture(0))
    sink.close()


@pytest.mark.parametrize("name", ["a", "a.txt", "a.heic"])
def test_a_suffix_of_no_format_is_an_error_that_lists_them(tmp_path: Path, name: str) -> None:
    with pytest.raises(SinkError, match=r"give one of \.csv, .*\.parquet, .*\.mp4, .*\.png") as error:
        open_sink(tmp_path / name)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["in.mp4", "in.jsonl"])
def test_the_film_that_is_read_is_not_overwritten(tmp_path: Path, name: str) -> None:
    before = face_video(tmp_path / "in.mp4", 2).rename(tmp_path / name).read_bytes()
    with open_source(tmp_path / name) as source, pytest.raises(SinkError, match="input"):
        open_sink(tmp_path / name, source)
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("written", ["a.png", "b.png"])
def test_pictures_that_are_read_are_not_overwritten(tmp_path: Path, written: str) -> None:
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), picture(1))
    with open_source(tmp_path) as source, pytest.raises(SinkError, match="input"):
        open_sink(tmp_path / written, source)
