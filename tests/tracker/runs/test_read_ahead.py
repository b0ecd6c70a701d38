"""Threads that read ahead and write behind: order, bounds, errors in their place, and no thread left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli import json_lines
from tests.media import face_video, frame_count, packet_bytes, write_video
from tests.tracker.runs.test_loop import fake_tracker, frames
from tracker.drawing.picture import Picture
from tracker.errors import SinkError, SourceError
from tracker.runs import read_ahead as overlap
from tracker.runs.loop import GROUP_IMAGES, Hud, Outputs, grouped, run_frames, run_images, run_video
from tracker.runs.read_ahead import ReadAhead, WriteBehind
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.video.sink import VideoSink
from tracker.sources.images.source import ReadFailure
from tracker.sources.video.source import VideoSource
from tracker.system.signals import install
from tracker.tracking.opening import open_tracker
from tracker.types import Frame


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert {t for t in threading.enumerate() if t.name in ("reading ahead", "writing behind")} <= before


@given(st.integers(0, 30), st.integers(1, 5))
def test_everything_comes_once_in_order(count: int, most: int) -> None:
    written: list[int] = []
    with ReadAhead(range(1, count + 1), most) as items, WriteBehind(written.append, most) as write:
        for item in items:
            write(item)
    assert written == list(range(1, count + 1))


def test_no_more_is_read_ahead_than_allowed() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1, 100):
            read.append(item)
            yield item

    with ReadAhead(items(), 3) as ahead:
        first = next(iter(ahead))
        time.sleep(0.3)  # time to read too much
        assert first == 1
        assert len(read) <= 1 + 3 + 1  # handed out, queued, and in the hand of the thread


def test_large_frames_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    large = [Frame(np.zeros((100, 100, 3), np.uint8), i, i / 30) for i in range(1, 9)]
    read: list[Frame] = []
    written: list[int] = []
    gate = threading.Event()

    def items() -> Iterator[Frame]:
        for frame in large:
            read.append(frame)
            yield frame

    def write(frame: Frame) -> None:
        gate.wait()
        written.append(frame.index)

    monkeypatch.setattr(overlap, "ENOUGH_BYTES", 2 * large[0].image_bgr.nbytes)
    with ReadAhead(items(), 5) as ahead, WriteBehind(write, 5) as behind:
        coming = iter(ahead)
        for _ in range(3):
            behind(next(coming))  # one is in the hand of the thread, two wait
        time.sleep(0.3)  # time to read too much
        assert len(read) == 3 + 2 + 1
        gate.set()
        for frame in coming:
            behind(frame)
    assert written == [frame.index for frame in large]


def test_an_error_of_the_source_comes_behind_what_was_before_it() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2, 3)
        raise SourceError("damaged")

    got = []
    with pytest.raises(SourceError, match="damaged"), ReadAhead(items()) as ahead:
        for item in ahead:
            got.append(item)
    assert got == [1, 2, 3]


def test_an_error_of_the_writer_comes_soon_and_nothing_is_written_after_it() -> None:
    written: list[int] = []

    def write(item: int) -> None:
        if item == 3:
            raise SinkError("disk full")
        written.append(item)

    calls = 0
    with pytest.raises(SinkError, match="disk full"), WriteBehind(write, 2) as behind:
        for item in range(1, 1000):
            behind(item)
            calls = item
    assert written == [1, 2]
    assert calls < 1000 - 1


def test_the_last_write_may_fail_too() -> None:
    def write(_: int) -> None:
        time.sleep(0.05)
        raise SinkError("disk full")

    with pytest.raises(SinkError), WriteBehind(write) as behind:
        behind(1)


def test_a_writer_error_before_a_source_error_wins_as_it_came_first() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise SourceError("damaged")

    def write(_: int) -> None:
        raise SinkError("disk full")

    with pytest.raises(SinkError), ReadAhead(items()) as ahead, WriteBehind(write) as behind:
        for item in ahead:
            behind(item)


def test_a_loop_that_raises_or_leaves_ends_both_threads() -> None:
    for leave in (True, False):
        with pytest.raises(ValueError), ReadAhead(iter(range(1, 10**9))) as ahead:
            for item in ahead:
                if item == 5 and leave:
                    break
                if item == 5:
                    raise ValueError
            raise ValueError


def test_ctrl_c_while_waiting_for_a_slow_source_ends_the_run_and_writes_what_is_done() -> None:
    before, written, taken = signal.getsignal(signal.SIGINT), [], threading.Event()

    def items() -> Iterator[int]:
        yield from (1, 2)
        taken.wait(30)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)
        yield 3

    def write(item: int) -> None:
        time.sleep(0.05)
        written.append(item)

    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        install()
        with pytest.raises(KeyboardInterrupt), ReadAhead(items()) as ahead, WriteBehind(write) as behind:
            for item in ahead:
                behind(item)
                if item == 2:
                    taken.set()
    finally:
        signal.signal(signal.SIGINT, before)
    assert written == [1, 2]


def test_results_are_those_of_the_serial_loop_to_the_last_bit(tmp_path: Path) -> None:
    video, written = face_video(tmp_path / "in.mp4", 40), []
    for name, run in (("serial", run_frames), ("overlapping", run_video)):
        with (
            open_tracker(backend="cpu", threads=1) as tracker,
            VideoSource(video) as source,
            JsonSink(tmp_path / f"{name}.jsonl") as numbers,
            VideoSink(tmp_path / f"{name}.mp4", source) as pictures,
        ):
            run(source, tracker, Outputs(numbers, video=pictures), Hud("test"))
        written.append([(tmp_path / f"{name}.{kind}").read_bytes() for kind in ("jsonl", "mp4")])
    assert written[0] == written[1]


def test_a_video_whose_encoder_fails_ends_with_its_error(tmp_path: Path) -> None:
    class FullDisk(VideoSink):
        def write(self, picture: Picture) -> None:
            if picture.time_s >= 5 / 25:
                raise SinkError("no space left")
            super().write(picture)

    with (
        JsonSink(tmp_path / "a.jsonl") as numbers,
        FullDisk(tmp_path / "a.mp4") as pictures,
        pytest.raises(SinkError, match="no space left"),
    ):
        run_video(frames(50), fake_tracker(), Outputs(numbers, video=pictures), Hud("test"))
    assert 6 <= len(json_lines(tmp_path / "a.jsonl")) < 50
    assert frame_count(tmp_path / "a.mp4") == 5


def test_sound_ends_where_the_user_quit_though_all_was_read_ahead(tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", 30, audio="aac")
    with VideoSource(tmp_path / "in.mp4") as source, VideoSink(tmp_path / "o.mp4", source) as sink:
        everything = list(source)
        assert source.exhausted
        for frame in everything[:10]:
            sink.write(Picture(frame.image_bgr, frame.time_s))
    with VideoSource(tmp_path / "o.mp4") as cut:
        assert len(list(cut)) == 10
    assert packet_bytes(tmp_path / "o.mp4", "audio")[-1][0] < 0.5  # a third of the second, and not all of it


@given(st.lists(st.sampled_from([0, 100, 7_000_000]), max_size=40))
def test_groups_hold_every_image_once_and_do_not_depend_on_those_before(pixels: list[int]) -> None:
    picture = {n: np.broadcast_to(np.uint8(0), (1, n, 3)) for n in (100, 7_000_000)}
    images = [Frame(picture[n], i) if n else ReadFailure(str(i), "") for i, n in enumerate(pixels)]
    groups = list(grouped(images))
    assert [image for group in groups for image in group] == images
    assert all(1 <= len(group) <= GROUP_IMAGES for group in groups)
    if groups:
        assert list(grouped(images[len(groups[0]) :])) == groups[1:]


def test_images_are_found_in_batches_with_the_same_result(tmp_path: Path) -> None:
    images = list(frames(GROUP_IMAGES * 2 + 3))
    told: list[int] = []
    with JsonSink(tmp_path / "a.jsonl") as sink:
        run_images(images, fake_tracker(), Outputs(sink), on_group=lambda failed: told.append(len(failed)))
    with JsonSink(tmp_path / "b.jsonl") as sink:
        tracker = fake_tracker()
        for image in images:
            sink.write(tracker.find(image))
    assert (tmp_path / "a.jsonl").read_text() == (tmp_path / "b.jsonl").read_text()
    assert told == [0, 0, 0]
