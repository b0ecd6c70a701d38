"""Loops over frames and images, with a fake tracker."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cache import Clips, Trackers
from tests.cli import default_handlers
from tests.fake_run import fake_tracker, frames
from tests.media import packet_bytes, write_video
from tracker.drawing.anonymise import Anonymiser
from tracker.drawing.masks import Mask
from tracker.drawing.picture import Picture
from tracker.errors import SinkError, SourceError
from tracker.inference.detection.detector import FakeDetector
from tracker.runs.live_stats import LiveStats
from tracker.runs.loop import GROUP_IMAGES, Run, grouped, run_frames, run_images, run_video
from tracker.runs.observer import FakeObserver
from tracker.runs.outputs import Outputs
from tracker.runs.view import View
from tracker.runs.window import FakeWindow
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.protocols import FakePictureSink, FakeResultSink
from tracker.sinks.video.delayed import DelayedSink
from tracker.sinks.video.sink import VideoSink
from tracker.sources.images.source import ReadFailure
from tracker.sources.video.source import VideoSource
from tracker.system.signals import install
from tracker.types import Frame


def fake_outputs() -> tuple[FakeResultSink, FakePictureSink, Outputs]:
    results, pictures = FakeResultSink(), FakePictureSink()
    return results, pictures, Outputs((results,), (results,), (pictures,))


@pytest.mark.parametrize("run_loop", [run_frames, run_video])
def test_every_frame_reaches_results_pictures_observer_and_statistics(
    run_loop: Callable[[Iterable[Frame], Run], bool],
) -> None:
    results, pictures, outputs = fake_outputs()
    observer, stats = FakeObserver(), LiveStats("test")
    assert run_loop(frames(12), Run(fake_tracker(), outputs, observer, stats=stats))
    assert [result.index for result in results.results] == list(range(12))
    assert [picture.time_s for picture in pictures.pictures] == [index / 25 for index in range(12)]
    plain = next(frames(1)).image_bgr
    assert all(np.any(picture.canvas_bgr != plain) for picture in pictures.pictures)  # faces are drawn
    assert observer.items == 12
    assert set(stats.loop.stages()) >= {"detect", "infer", "write"}


def test_a_run_that_the_user_ends_has_not_reached_the_end() -> None:
    results, _, outputs = fake_outputs()
    observer = FakeObserver()
    run = Run(fake_tracker(), outputs, observer, view=View(FakeWindow([None, "q"])))
    assert not run_frames(frames(9), run)
    assert len(results.results) == 2
    assert observer.items == 1  # the frame that the user saw last may be done again


def test_anonymised_pictures_are_shown_and_written_but_results_stay() -> None:
    results, pictures, outputs = fake_outputs()
    window = FakeWindow()
    run = Run(fake_tracker(), outputs, anonymiser=Anonymiser("points", FakeDetector()), view=View(window))
    run_frames(frames(3), run)
    plain = next(frames(1)).image_bgr[-1, -1]
    for canvas in [picture.canvas_bgr for picture in pictures.pictures] + window.shown:
        assert not np.array_equal(canvas[-1, -1], plain)
    assert all(len(result.faces) == 1 for result in results.results)


def test_outputs_are_complete_when_the_source_fails(tmp_path: Path) -> None:
    def damaged() -> Iterator[Frame]:
        yield from frames(5)
        raise SourceError("ends after 5 frames")

    for run_loop in (run_frames, run_video):
        with (
            pytest.raises(SourceError),
            JsonSink(tmp_path / "a.jsonl") as results,
            VideoSink(tmp_path / "a.mp4") as pictures,
        ):
            run_loop(damaged(), Run(fake_tracker(), Outputs((results,), (), (pictures,))))
        assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 5
        with VideoSource(tmp_path / "a.mp4") as video:
            assert len(list(video)) == 5


def test_a_picture_that_cannot_be_written_ends_the_run() -> None:
    class Full(FakePictureSink):
        def write(self, picture: Picture) -> None:
            if len(self.pictures) == 5:
                raise SinkError("disk full")
            super().write(picture)

    results, pictures = FakeResultSink(), Full()
    with pytest.raises(SinkError, match="disk full"):
        run_video(frames(50), Run(fake_tracker(), Outputs((results,), (), (pictures,))))
    assert len(pictures.pictures) == 5
    assert 6 <= len(results.results) < 50


@pytest.mark.parametrize("anonymised", [False, True])
def test_a_run_with_threads_writes_the_same_bytes(
    anonymised: bool, tmp_path: Path, clips: Clips, trackers: Trackers
) -> None:
    video, written = clips.faces(40), []
    for name, run_loop in (("serial", run_frames), ("threads", run_video)):
        with (
            VideoSource(video) as source,
            JsonSink(tmp_path / f"{name}.jsonl") as results,
            VideoSink(tmp_path / f"{name}.mp4", source) as encoder,
            DelayedSink(encoder, Mask()) as delayed,
        ):
            outputs = Outputs((results,), (), (delayed if anonymised else encoder,))
            # A detector that sees nothing: all heads to hide are those of the tracker.
            anonymiser = Anonymiser("blur", FakeDetector()) if anonymised else None
            run_loop(source, Run(trackers.fresh(), outputs, anonymiser=anonymiser))
        written.append([(tmp_path / f"{name}.{kind}").read_bytes() for kind in ("jsonl", "mp4")])
    assert written[0] == written[1]


def test_an_image_that_cannot_be_read_is_written_as_a_failure() -> None:
    good = next(frames(1))
    images: list[Frame | ReadFailure] = [
        Frame(good.image_bgr, source="a.png"),
        ReadFailure("b.png", "b.png is not an image"),
        Frame(good.image_bgr, source="c.png"),
    ]
    results, pictures, outputs = fake_outputs()
    observer = FakeObserver()
    with pytest.raises(SourceError, match="2 images could not be read, the others are done; the first: old"):
        run_images(images, Run(fake_tracker(), outputs, observer), [ReadFailure("z.png", "old")])
    assert [result.source for result in results.results] == ["a.png", "c.png"]
    assert [failure.source for failure in results.failures] == ["b.png"]
    assert [picture.source for picture in pictures.pictures] == ["a.png", "c.png"]
    assert (observer.items, observer.failures_by_group) == (3, [2])


def test_images_in_batches_give_the_same_results_as_alone(tmp_path: Path) -> None:
    images = list(frames(GROUP_IMAGES * 2 + 3))
    observer = FakeObserver()
    with JsonSink(tmp_path / "a.jsonl") as sink:
        run_images(images, Run(fake_tracker(), Outputs((sink,)), observer))
    with JsonSink(tmp_path / "b.jsonl") as sink:
        tracker = fake_tracker()
        for image in images:
            sink.write(tracker.find(image))
    assert (tmp_path / "a.jsonl").read_text() == (tmp_path / "b.jsonl").read_text()
    assert observer.failures_by_group == [0, 0, 0]


@given(st.lists(st.sampled_from([0, 100, 7_000_000]), max_size=40))
def test_groups_contain_every_image_once_and_do_not_depend_on_earlier_ones(pixels: list[int]) -> None:
    picture = {n: np.broadcast_to(np.uint8(0), (1, n, 3)) for n in (100, 7_000_000)}
    images = [Frame(picture[n], i) if n else ReadFailure(str(i), "") for i, n in enumerate(pixels)]
    groups = list(grouped(images))
    assert [image for group in groups for image in group] == images
    assert all(1 <= len(group) <= GROUP_IMAGES for group in groups)
    if groups:
        assert list(grouped(images[len(groups[0]) :])) == groups[1:]


def test_an_observer_that_raises_ends_the_run() -> None:
    class Impatient(FakeObserver):
        def item_done(self) -> None:
            super().item_done()
            if self.items == 2:
                raise SystemExit(1)

    results, _, outputs = fake_outputs()
    with pytest.raises(SystemExit):
        run_video(frames(9), Run(fake_tracker(), outputs, Impatient()))
    assert [result.index for result in results.results] == [0, 1]


def test_results_without_pictures_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("tracker.runs.outputs.annotate", drawn)
    results = FakeResultSink()
    run_video(frames(3), Run(fake_tracker(), Outputs((results,))))
    assert len(results.results) == 3


def test_sound_ends_with_the_pictures_though_more_was_read_ahead(tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", 30, audio="aac")
    with VideoSource(tmp_path / "in.mp4") as source, VideoSink(tmp_path / "o.mp4", source) as sink:
        everything = list(source)
        assert source.exhausted
        for frame in everything[:10]:
            sink.write(Picture(frame.image_bgr, frame.time_s))
    with VideoSource(tmp_path / "o.mp4") as cut:
        assert len(list(cut)) == 10
    assert packet_bytes(tmp_path / "o.mp4", "audio")[-1][0] < 0.5  # a third of the second


@pytest.mark.parametrize("run_loop", [run_frames, run_video, run_images])
def test_a_loop_ends_where_a_signal_was_swallowed(run_loop: Callable[[Iterable[Frame], Run], object]) -> None:
    results, _, outputs = fake_outputs()

    with default_handlers():
        install()
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            run_loop(frames(9), Run(fake_tracker(), outputs))
    assert results.results == []
