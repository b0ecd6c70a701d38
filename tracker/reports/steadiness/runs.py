"""Runs a tracker over scenes and videos, and judges each smoothing on what it saw.

Smoothing does not feed back into tracking: a scene is tracked once, and all are judged on the same points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tracker.errors import SourceError
from tracker.reports.steadiness.figures import (
    FAST_HZ,
    FEWEST_FRAMES,
    apart_from_head,
    error_percent,
    fast_percent,
    jitter_percent,
    kept_percent,
    lag_s,
    smoothed,
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
from tracker.scheme import PARTS
from tracker.tracking.smoothing import PRESETS
from tracker.types import FloatArray, Frame, FrameResult, ImageArray

SETTLED = FPS // 2
"""Frames after which a filter has forgotten how it began."""

SCENES = (REST, SLIDE, SWAY)
"""What a picture is shown in, one after the other."""

_BLINK_PHASES = 8


class Follower(Protocol):
    """What is measured: a tracker of one video that does not smooth."""

    def step(self, frame: Frame) -> FrameResult:
        """The faces of the next frame."""
        ...


MakeFollower = Callable[[], Follower]


@dataclass(frozen=True)
class Living:
    """What a smoothing keeps of a face's own motion, in per cent of the opening of lids and lips.

    Of the ``blink`` that keeps least, over when it starts between two frames; of 5 Hz ``speech``.
    """

    blink_kept: float
    speech_kept: float


@dataclass(frozen=True)
class OnPicture:
    """One smoothing on a picture that rests, slides and sways; per cent inter-ocular, lags in frames.

    ``jitter`` is that of the mean point, of the worst part, named, and of the worst point.
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
    living: Living


@dataclass(frozen=True)
class OnVideo:
    """One smoothing on a video: motion above 5 Hz in per cent inter-ocular, root mean square over ``frames``.

    ``fast_points`` is that of the points with the motion of the head undone, ``fast_head`` that of the head.
    """

    smoothing: str
    frames: int
    fast_points: float
    fast_head: float
    living: Living


def on_picture(
    image_bgr: ImageArray,
    name: str,
    make: MakeFollower,
    presets: Sequence[str],
    on_frame: Callable[[], object],
) -> list[OnPicture]:
    """Each of ``presets`` on a picture ``(H, W, 3)``.

    Raises :class:`~tracker.errors.SourceError` where no face is found in ``name``, or it is lost in a scene.
    """
    faces = make().step(Frame(image_bgr)).faces
    if not faces:
        raise SourceError(f"no face is found in {name}: give a picture that shows one")
    portrait = Portrait.around(image_bgr, faces[0].box)
    tracks = {motion: _follow(portrait, motion, name, make(), on_frame) for motion in SCENES}
    return [_on_tracks(preset, portrait, tracks) for preset in presets]


def _follow(
    portrait: Portrait, motion: Motion, name: str, follower: Follower, on_frame: Callable[[], object]
) -> FloatArray:
    track = []
    for frame in portrait.frames(motion):
        faces = follower.step(frame).faces
        if not faces:
            raise SourceError(f"the face in {name} is lost under noise: give a picture with a clearer face")
        track.append(faces[0].landmarks.points_frame)
        on_frame()
    return np.stack(track)


def _on_tracks(preset: str, portrait: Portrait, tracks: dict[Motion, FloatArray]) -> OnPicture:
    at_rest = tracks[REST].mean(axis=0)
    jitter = jitter_percent(smoothed(tracks[REST], REST.times_s, PRESETS[preset])[SETTLED:])
    parts = {name: float(jitter[span].mean()) for name, span in PARTS.items()}
    worst = max(parts, key=parts.__getitem__)

    def moving(motion: Motion) -> tuple[float, float]:
        track = smoothed(tracks[motion], motion.times_s, PRESETS[preset])[SETTLED:]
        times_s = motion.times_s[SETTLED:]
        lag = lag_s(track, times_s, lambda times_s: portrait.carry(at_rest, motion, times_s))
        return lag * FPS, error_percent(track, portrait.carry(at_rest, motion, times_s))

    return OnPicture(
        preset,
        float(jitter.mean()),
        parts[worst],
        worst,
        float(jitter.max()),
        *moving(SLIDE),
        *moving(SWAY),
        living=living(preset, at_rest),
    )


def living(preset: str, points: FloatArray) -> Living:
    """What ``preset`` keeps of blinks and speech that move ``points`` ``(68, 2)``, without noise."""
    times_s = np.arange(2 * FPS) / FPS

    def kept(track: FloatArray, opening: Callable[[FloatArray], FloatArray]) -> float:
        after = smoothed(track, times_s, PRESETS[preset])
        return kept_percent(opening(track)[SETTLED:], opening(after)[SETTLED:])

    starts = 1 + np.arange(_BLINK_PHASES) / (_BLINK_PHASES * FPS)
    blinks = [kept(blink(points, times_s, float(start)), eye_opening) for start in starts]
    return Living(min(blinks), kept(speech(points, times_s), mouth_opening))


def on_video(
    frames: Iterable[Frame],
    name: str,
    make: MakeFollower,
    presets: Sequence[str],
    on_frame: Callable[[], object],
) -> list[OnVideo]:
    """Each of ``presets`` on the longest stretch of ``frames`` in which one face is followed without a gap.

    Raises :class:`~tracker.errors.SourceError` if that is too short, or the video too slow.
    """
    times_s, track = _longest_stretch(frames, make(), on_frame)
    if len(track) < FEWEST_FRAMES:
        found = (
            f"a face for {len(track)} frames on end, {FEWEST_FRAMES} are needed" if len(track) else "no face"
        )
        raise SourceError(f"{name} shows {found}: give another video, or more of it")
    if np.median(np.diff(times_s)) >= 1 / (2 * FAST_HZ):
        raise SourceError(
            f"{name} has too few frames a second for motion above {FAST_HZ:g} Hz: give another video"
        )
    return [_on_stretch(preset, track, times_s) for preset in presets]


def _on_stretch(preset: str, track: FloatArray, times_s: FloatArray) -> OnVideo:
    head, points = apart_from_head(smoothed(track, times_s, PRESETS[preset]))
    return OnVideo(
        preset,
        len(track),
        fast_percent(points, times_s),
        fast_percent(head, times_s),
        living(preset, track[0]),
    )


def _longest_stretch(
    frames: Iterable[Frame], follower: Follower, on_frame: Callable[[], object]
) -> tuple[FloatArray, FloatArray]:
    """Times ``(T,)`` and points ``(T, 68, 2)`` of the first face while its id lasts."""
    stretches: list[list[tuple[float, FloatArray]]] = [[]]
    last_id = 0
    for frame in frames:
        faces = follower.step(frame).faces
        now = faces[0].id if faces else 0
        if now != last_id:
            stretches.append([])
        if faces:
            stretches[-1].append((frame.time_s, faces[0].landmarks.points_frame))
        last_id = now
        on_frame()
    longest = max(stretches, key=len)
    return np.array([t for t, _ in longest]), np.array([points for _, points in longest])
