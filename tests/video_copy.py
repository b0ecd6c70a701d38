"""Videos copied through the video sink, and what their files hold, for tests of video outputs."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from tests.media import picture_index
from tracker.drawing.picture import Picture
from tracker.sinks.video.sink import VideoSink
from tracker.sources.video.source import VideoSource
from tracker.types import FloatArray


def copy_video(
    clip: Path, out: Path, stop_after: int | None = None, error: BaseException | None = None
) -> list[float]:
    """Copy ``stop_after`` frames (None: all) and return their timestamps; then raise ``error``, if given."""
    times = []
    with VideoSource(clip) as source, VideoSink(out, source) as sink:
        for frame in source:
            sink.write(Picture(frame.image_bgr, frame.time_s))
            times.append(frame.time_s)
            if len(times) == stop_after:
                break
        if error:
            raise error
    return times


def read_video(path: Path) -> tuple[list[float], list[int]]:
    """Return the timestamp and :func:`tests.media.picture_index` of every frame."""
    with VideoSource(path) as source:
        frames = list(source)
    return [f.time_s for f in frames], [picture_index(f.image_bgr) for f in frames]


def frame_times(path: Path) -> list[float]:
    """Return the timestamps of all frames as libav decodes them."""
    with av.open(str(path)) as container:
        return [time_of(frame) for frame in container.decode(video=0)]


def time_of(frame: VideoFrame) -> float:
    """Return the timestamp of a frame in seconds."""
    assert frame.pts is not None
    assert frame.time_base is not None
    return float(frame.pts * frame.time_base)


def duration_s(path: Path) -> float:
    """Return the duration that the container states, in seconds."""
    with av.open(str(path)) as container:
        assert container.duration is not None
        return container.duration / av.time_base


def track_duration_s(path: Path) -> float:
    """Return the duration that the video track states, in seconds."""
    with av.open(str(path)) as container:
        track = container.streams.video[0]
        assert track.duration is not None
        assert track.time_base is not None
        return float(track.duration * track.time_base)


def sound_samples(path: Path, track: int = 0) -> tuple[FloatArray, int]:
    """Return the samples of the first channel of a sound track, and their rate."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[track]
        samples = np.concatenate([f.to_ndarray()[0] for f in container.decode(stream)])
        return samples, stream.rate


def sound_duration_s(path: Path) -> float:
    """Return the duration of the first sound track when decoded, in seconds."""
    with av.open(str(path)) as container:
        return sum(f.samples / f.sample_rate for f in container.decode(audio=0))


def sound_codecs(path: Path) -> list[str]:
    """Return the codec of each sound track."""
    with av.open(str(path)) as container:
        return [stream.codec_context.name for stream in container.streams.audio]
