"""Opening of outputs: links are refused, pipes are waited for and stay interruptible."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cli import REPO, run_cli, start_cli
from tests.results import faces_in_a_row
from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.images import ImageSink, SingleImageSink
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.labels import DlibSink, PtsSink
from tracker.sinks.openface import OpenFaceSink
from tracker.sinks.parquet import ParquetSink
from tracker.sinks.video.numbered import NumberedImageSink
from tracker.sinks.video.sink import VideoSink
from tracker.system.files import beside, write_whole
from tracker.system.opening import open_output

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
PORTRAIT = REPO / "tracker" / "assets" / "astronaut.jpg"


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "precious.txt"
    path.parent.mkdir()
    path.write_text("precious")
    return path


@pytest.mark.parametrize("sink_type", [JsonSink, CsvSink, OpenFaceSink, ParquetSink, VideoSink])
@pytest.mark.parametrize("broken", [False, True])
def test_a_planted_link_is_refused_with_its_target(
    tmp_path: Path, precious: Path, sink_type: type[JsonSink], broken: bool
) -> None:
    target = precious.with_name("new.txt") if broken else precious
    link = tmp_path / "out.mp4"
    link.symlink_to(target)
    with pytest.raises(SinkError, match=r"out\.mp4: it is a symbolic link to .*: give the file itself"):
        sink_type(link)
    assert precious.read_text() == "precious"
    assert [path.name for path in precious.parent.iterdir()] == ["precious.txt"]


def test_links_in_place_of_labels_and_pictures_are_refused(tmp_path: Path, precious: Path) -> None:
    sources = [tmp_path / "photo.png"]
    sources[0].write_bytes(b"")
    for name in ("l.xml", "photo.pts", "out.png"):
        (tmp_path / name).symlink_to(precious.with_name("new"))
    folder = tmp_path / "marked"
    folder.mkdir()
    (folder / "photo.png").symlink_to(precious)
    with pytest.raises(SinkError, match="symbolic link"):
        DlibSink(tmp_path / "l.xml", sources)
    with pytest.raises(SinkError, match="there is one already"):
        PtsSink(tmp_path, sources)
    with pytest.raises(SinkError, match="symbolic link"):
        SingleImageSink(tmp_path / "out.png", sources)
    with pytest.raises(SinkError, match="symbolic link"):
        ImageSink(folder, sources)
    assert precious.read_text() == "precious"
    assert [path.name for path in precious.parent.iterdir()] == ["precious.txt"]


def test_a_link_that_appears_after_the_check_is_not_followed(tmp_path: Path, precious: Path) -> None:
    link = tmp_path / "out"
    link.symlink_to(precious)
    for append in (False, True):
        with pytest.raises(OSError, match="symbolic link"):
            open_output(link, append)
    (tmp_path / ".out.part").symlink_to(precious)
    write_whole(link, b"whole")
    assert (link.read_bytes(), link.is_symlink()) == (b"whole", False)
    assert precious.read_text() == "precious"
    (tmp_path / "n_1.png").symlink_to(precious)
    NumberedImageSink(tmp_path / "n_%d.png").write(Picture(np.zeros((4, 4, 3), np.uint8)))
    assert precious.read_text() == "precious"


def test_a_link_to_the_process_own_stream_is_followed(tmp_path: Path) -> None:
    with (tmp_path / "o").open("wb") as file:
        path = Path(f"/dev/fd/{file.fileno()}")
        if not path.exists():
            pytest.skip("no /dev/fd")
        with open_output(path, append=True) as opened:
            opened.write(b"text")
    assert (tmp_path / "o").read_bytes() == b"text"


def test_a_folder_behind_a_link_is_as_good_as_any(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with JsonSink(tmp_path / "link" / "o.jsonl") as sink:
        sink.write(faces_in_a_row())
    assert (tmp_path / "real" / "o.jsonl").stat().st_size


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_pipe_without_a_reader_can_be_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    os.mkfifo(tmp_path / "pipe")
    arguments = ("--images", PORTRAIT, "--csv", tmp_path / "pipe", *LIGHT_ARGUMENTS)
    with start_cli(*arguments) as process:
        time.sleep(3)  # until it waits; earlier is handled as well
        assert process.poll() is None
        process.send_signal(number)
        assert process.wait(20) == 128 + number


def test_a_pipe_whose_reader_stops_reading_can_be_interrupted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    photos = tmp_path / "photos"
    photos.mkdir()
    for index in range(60):  # lines of 3 kB fill the pipe's 64 kB
        (photos / f"{index}.jpg").symlink_to(PORTRAIT)
    arguments = ("--images", photos, "--json", tmp_path / "pipe", *LIGHT_ARGUMENTS)
    with start_cli(*arguments) as process, (tmp_path / "pipe").open("rb") as reader:
        assert reader.read(10)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_a_pipe_with_a_reader_gets_every_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    arguments = ("--images", PORTRAIT, "--json", tmp_path / "pipe", *LIGHT_ARGUMENTS)
    with start_cli(*arguments) as process, (tmp_path / "pipe").open("rb") as reader:
        text = reader.read()
        assert process.wait(60) == 0
    assert text.startswith(b'{"source": "astronaut.jpg"')
    assert text.endswith(b"}\n")


@pytest.mark.parametrize("output", ["--output", "--labels", "--parquet"])
def test_a_pipe_for_what_needs_a_file_is_refused(tmp_path: Path, output: str) -> None:
    pipe = tmp_path / ("o.png" if output == "--output" else "o.xml")
    os.mkfifo(pipe)
    done = run_cli("--images", PORTRAIT, output, pipe, *LIGHT_ARGUMENTS)
    assert done.exit_code == 1
    assert "it is a pipe" in done.stderr or "it is not a file" in done.stderr


@pytest.mark.parametrize("name", ["a" * 255, "ü" * 127, "a" * 251 + ".png"])
def test_the_longest_names_can_be_written(tmp_path: Path, name: str) -> None:
    write_whole(tmp_path / name, b"data")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    helper = beside(tmp_path / name, f"{name}.resume")
    assert len(os.fsencode(helper.name)) <= 255
    assert helper.suffix == ".resume"
    assert helper != beside(tmp_path / name, f"{name[:-1]}b.resume")
    assert beside(tmp_path / "a", "a.resume") == tmp_path / "a.resume"
