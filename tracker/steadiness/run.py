"""Runs the tracker over a scene or a video and judges every smoothing on what it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from tracker.errors import SourceError
from tracker.pipeline import FaceTracker
from tracker.smoothing import PRESETS
from tracker.sources import VideoSource
from tracker.steadiness import measures, scenes
from tracker.types import FloatArray, Frame, ImageArray

SETTLED = 30
"""Frames after which a filter has forgotten its start."""

FEWEST = 16
"""Frames of a video that fast motion can be told from."""

MakeTracker = Callable[[], FaceTracker]
"""A tracker that has seen nothing yet, follows one face and does not smooth."""


@dataclass(frozen=True)
class OnPicture:
    """One smoothing on a picture, in per cent of the inter-ocular distance where nothing else is said.

    ``jitter_mean`` and ``jitter_worst`` over the points of a still face under noise; ``lag_frames`` and
    ``error`` of a moving one; ``blink_kept`` and ``speech_kept`` are what is left of the opening of lids and
    lips, in per cent of it.
    """

    smoothing: str
    jitter_mean: float
    jitter_worst: float
    lag_frames: float
    error: float
    blink_kept: float
    speech_kept: float


@dataclass(frozen=True)
class OnVideo:
    """One smoothing on a video: motion above 5 Hz in per cent inter-ocular, over ``frames``."""

    smoothing: str
    fast_motion: float
    frames: int


def on_picture(
    image_bgr: ImageArray,
    name: str,
    make: MakeTracker,
    count: int,
    on_frame: Callable[[], object] = lambda: None,
) -> list[OnPicture]:
    """Every smoothing on ``count`` frames of a still and of a moving picture ``(H, W, 3)``.

    Raises :class:`~tracker.errors.SourceError` unless every frame shows a face.
    """
    still = _follow(scenes.still(image_bgr, count), name, make(), on_frame)
    face = still.mean(axis=0)
    shifts = scenes.swing(float(np.ptp(face[:, 0])), count)
    moving = _follow(scenes.moving(image_bgr, shifts), name, make(), on_frame)
    return [_judge(preset, still, moving, face + shifts[:, None]) for preset in PRESETS]


def _follow(
    frames: Iterable[Frame], name: str, tracker: FaceTracker, on_frame: Callable[[], object]
) -> FloatArray:
    track = []
    for frame in frames:
        faces = tracker.step(frame).faces
        if not faces:
            raise SourceError(f"no face is found in {name}: choose a picture with one")
        track.append(faces[0].landmarks.points_frame)
        on_frame()
    return np.stack(track)


def _judge(preset: str, still: FloatArray, moving: FloatArray, truth: FloatArray) -> OnPicture:
    times_s = np.arange(len(still)) / scenes.FPS

    def smooth(track: FloatArray) -> FloatArray:
        return measures.smoothed(track, times_s, PRESETS[preset])

    jitter = measures.jitter_percent(smooth(still)[SETTLED:])
    moved = smooth(moving)
    blinks, speech = scenes.blinks(truth[0], len(still)), scenes.speech(truth[0], len(still))
    eye, mouth = measures.eye_opening, measures.mouth_opening
    return OnPicture(
        smoothing=preset,
        jitter_mean=float(jitter.mean()),
        jitter_worst=float(jitter.max()),
        lag_frames=measures.lag_frames(moved, truth),
        error=measures.error_percent(moved[SETTLED:], truth[SETTLED:]),
        blink_kept=measures.kept_percent(eye(blinks), eye(smooth(blinks))),
        speech_kept=measures.kept_percent(mouth(speech), mouth(smooth(speech)[SETTLED:])),
    )


def on_video(
    path: Path, make: MakeTracker, most: int, on_frame: Callable[[], object] = lambda: None
) -> list[OnVideo]:
    """Every smoothing on the longest unbroken run of one face in the first ``most`` frames of ``path``.

    Raises :class:`~tracker.errors.SourceError` if that is shorter than :data:`FEWEST` frames.
    """
    with VideoSource(path) as source:
        times_s, track = longest_run(islice(source, most), make(), on_frame)
    if len(track) < FEWEST:
        raise SourceError(f"{path} shows no face for {FEWEST} frames on end: choose another video")
    return [
        OnVideo(
            preset, measures.fast_motion_percent(measures.smoothed(track, times_s, s), times_s), len(track)
        )
        for preset, s in PRESETS.items()
    ]


def longest_run(
    frames: Iterable[Frame], tracker: FaceTracker, on_frame: Callable[[], object] = lambda: None
) -> tuple[FloatArray, FloatArray]:
    """Times ``(T,)`` and points ``(T, 68, 2)`` of the longest stretch of frames with the same face."""
    best: Sequence[tuple[float, FloatArray]] = ()
    run: list[tuple[float, FloatArray]] = []
    last_id = 0
    for frame in frames:
        faces = tracker.step(frame).faces
        if not faces or faces[0].id != last_id:
            run = []
        if faces:
            last_id = faces[0].id
            run.append((frame.time_s, faces[0].landmarks.points_frame))
        best = max(best, run, key=len)
        on_frame()
    times_s = np.array([time_s for time_s, _ in best])
    return times_s, np.array([points for _, points in best]).reshape(-1, 68, 2)
