"""Measurement of each smoothing on a picture in synthetic motion, or on a video.

Smoothing does not feed back into tracking, so each scene is tracked once, without smoothing, and every
smoothing is then applied to the same points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tracker.errors import MisuseError, SourceError
from tracker.geometry import Stretch
from tracker.reports.steadiness.figures import (
    FAST_HZ,
    FEWEST_FRAMES,
    error_percent,
    fast_percent,
    jitter_percent,
    kept_percent,
    lag_s,
    smoothed,
    split_head_motion,
)
from tracker.reports.steadiness.scenes import (
    FPS,
    REST,
    SLIDE,
    SWAY,
    Motion,
    Portrait,
    blink,
    eye_opening,
    mouth_opening,
    speech,
)
from tracker.scheme.ibug68 import IBUG68, PARTS
from tracker.scheme.value import Scheme
from tracker.tracking.smoothing import PRESETS
from tracker.types import FloatArray, Frame, FrameResult, ImageArray

SETTLED = FPS // 2
"""Frames at the beginning that are left out, because the filter has not settled."""

SCENES = (REST, SLIDE, SWAY)
"""Motions in which a picture is shown, one after the other."""

_BLINK_PHASES = 8


class FrameTracker(Protocol):
    """The tracker under test: one video, no smoothing."""

    def step(self, frame: Frame) -> FrameResult:
        """Return the faces of the next frame."""
        ...


MakeTracker = Callable[[], FrameTracker]


def check_scheme(scheme: Scheme) -> None:
    """Check that steadiness can be measured on landmarks of ``scheme``: eyes and mouth of iBUG's move in it.

    Raises :class:`~tracker.errors.MisuseError` for another.
    """
    if not scheme.has_points_of(IBUG68):
        raise MisuseError(
            f"steadiness moves the eyes and the mouth of {IBUG68.name}, and the model finds {scheme}: "
            "take a model of those points"
        )


@dataclass(frozen=True)
class KeptMotion:
    """Facial motion that is left after smoothing, in per cent of the opening of eyes and mouth.

    ``blink_kept`` is the least over blinks that start at different phases between two frames;
    ``speech_kept`` is that of 5 Hz speech.
    """

    blink_kept: float
    speech_kept: float


@dataclass(frozen=True)
class PictureMeasures:
    """One smoothing on a picture that rests, slides and sways; in per cent inter-ocular, lags in frames.

    ``jitter`` is the mean over all points, ``jitter_part`` that of the worst ``part``, ``jitter_point`` that
    of the worst point.
    """

    smoothing: str
    jitter: float
    jitter_part: float
    part: str
    jitter_point: float
    slide_lag: float
    slide_error: float
    sway_lag: float
    sway_error: float
    kept: KeptMotion


@dataclass(frozen=True)
class VideoMeasures:
    """One smoothing on a video: RMS motion above 5 Hz over ``frames``, in per cent inter-ocular.

    ``fast_points`` is the motion of the points with that of the head undone, ``fast_head`` that of the head.
    """

    smoothing: str
    frames: int
    fast_points: float
    fast_head: float
    kept: KeptMotion


def measure_picture(
    image_bgr: ImageArray,
    name: str,
    make_tracker: MakeTracker,
    presets: Sequence[str],
    on_frame: Callable[[], object],
) -> list[PictureMeasures]:
    """Measure each of ``presets`` on a picture ``(H, W, 3)``.

    Raises :class:`~tracker.errors.SourceError` about ``name`` if there is no face, or it is lost in a scene.
    """
    faces = make_tracker().step(Frame(image_bgr)).faces
    if not faces:
        raise SourceError(f"no face is found in {name}: give a picture that shows one")
    portrait = Portrait.around(image_bgr, faces[0].box)
    tracks = {motion: _track(portrait, motion, name, make_tracker(), on_frame) for motion in SCENES}
    return [_measure_scenes(preset, portrait, tracks) for preset in presets]


def _track(
    portrait: Portrait, motion: Motion, name: str, tracker: FrameTracker, on_frame: Callable[[], object]
) -> FloatArray:
    track = []
    for frame in portrait.frames(motion):
        faces = tracker.step(frame).faces
        if not faces:
            raise SourceError(f"the face in {name} is lost under noise: give a picture with a clearer face")
        track.append(faces[0].landmarks.points_frame)
        on_frame()
    return np.stack(track)


def _measure_scenes(preset: str, portrait: Portrait, tracks: dict[Motion, FloatArray]) -> PictureMeasures:
    at_rest = tracks[REST].mean(axis=0)
    jitter = jitter_percent(smoothed(tracks[REST], REST.times_s, PRESETS[preset])[SETTLED:])
    parts = {name: float(jitter[span].mean()) for name, span in PARTS.items()}
    worst = max(parts, key=parts.__getitem__)

    def moving(motion: Motion) -> tuple[float, float]:
        track = smoothed(tracks[motion], motion.times_s, PRESETS[preset])[SETTLED:]
        times_s = motion.times_s[SETTLED:]
        lag = lag_s(track, times_s, lambda times_s: portrait.carry(at_rest, motion, times_s))
        return lag * FPS, error_percent(track, portrait.carry(at_rest, motion, times_s))

    return PictureMeasures(
        preset,
        float(jitter.mean()),
        parts[worst],
        worst,
        float(jitter.max()),
        *moving(SLIDE),
        *moving(SWAY),
        kept=kept_motion(preset, at_rest),
    )


def kept_motion(preset: str, points: FloatArray) -> KeptMotion:
    """Return the share of blinks and speech of iBUG's ``points`` that smoothing ``preset`` keeps."""
    times_s = np.arange(2 * FPS) / FPS

    def kept(track: FloatArray, opening: Callable[[FloatArray], FloatArray]) -> float:
        after = smoothed(track, times_s, PRESETS[preset])
        return kept_percent(opening(track)[SETTLED:], opening(after)[SETTLED:])

    starts = 1 + np.arange(_BLINK_PHASES) / (_BLINK_PHASES * FPS)
    blinks = [kept(blink(points, times_s, float(start)), eye_opening) for start in starts]
    return KeptMotion(min(blinks), kept(speech(points, times_s), mouth_opening))


def measure_video(
    frames: Iterable[Frame],
    name: str,
    make_tracker: MakeTracker,
    presets: Sequence[str],
    on_frame: Callable[[], object],
) -> list[VideoMeasures]:
    """Measure each of ``presets`` on the longest stretch of ``frames`` that tracks one face without a gap.

    Raises :class:`~tracker.errors.SourceError` if it is too short, or the frame rate too low.
    """
    times_s, track = _longest_stretch(frames, make_tracker(), on_frame)
    if len(track) < FEWEST_FRAMES:
        found = (
            f"a face for {len(track)} frames on end, {FEWEST_FRAMES} are needed" if len(track) else "no face"
        )
        raise SourceError(f"{name} shows {found}: give another video, or more of it")
    if np.median(np.diff(times_s)) >= 1 / (2 * FAST_HZ):
        raise SourceError(
            f"{name} has too few frames a second for motion above {FAST_HZ:g} Hz: give another video"
        )
    return [_measure_stretch(preset, track, times_s) for preset in presets]


def _measure_stretch(preset: str, track: FloatArray, times_s: FloatArray) -> VideoMeasures:
    head, points = split_head_motion(smoothed(track, times_s, PRESETS[preset]))
    return VideoMeasures(
        preset,
        len(track),
        fast_percent(points, times_s),
        fast_percent(head, times_s),
        kept_motion(preset, track[0]),
    )


def _longest_stretch(
    frames: Iterable[Frame], tracker: FrameTracker, on_frame: Callable[[], object]
) -> tuple[FloatArray, FloatArray]:
    """Return timestamps ``(T,)`` and points ``(T, P, 2)`` of the first face in its longest stretch.

    Points are in square pixels.
    """
    stretches: list[list[tuple[float, FloatArray]]] = [[]]
    last_id = 0
    for frame in frames:
        faces = tracker.step(frame).faces
        stretch = Stretch.of(frame.pixel_aspect)
        now = faces[0].id if faces else 0
        if now != last_id:
            stretches.append([])
        if faces:
            stretches[-1].append((frame.time_s, stretch.to_square(faces[0].landmarks.points_frame)))
        last_id = now
        on_frame()
    longest = max(stretches, key=len)
    return np.array([t for t, _ in longest]), np.array([points for _, points in longest])
