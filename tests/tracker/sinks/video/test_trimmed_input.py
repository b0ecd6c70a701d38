from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.media import packet_bytes, picture_index, write_video
from tracker.drawing.picture import Picture
from tracker.sinks.video.sink import VideoSink
from tracker.sources.trim import Trim
from tracker.sources.video.source import VideoSource


def test_the_video_of_a_part_begins_at_0_with_its_sound(tmp_path: Path) -> None:
    path, out = tmp_path / "a.mp4", tmp_path / "o.mp4"
    write_video(path, 90, audio="aac")
    with VideoSource(path, Trim(1.0, 2.0)) as source, VideoSink(out, source) as sink:
        for frame in source:
            sink.write(Picture(frame.image_bgr, frame.time_s))
    with VideoSource(out) as source:
        frames = list(source)
    assert [picture_index(f.image_bgr) for f in frames] == list(range(30, 60))
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(30) / 30, atol=1e-9)
    times = [time_s for time_s, _ in packet_bytes(out, "audio")]
    assert 0 <= times[0] < 0.03
    assert 0.93 < times[-1] < 1.0
