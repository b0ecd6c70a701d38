"""Timelines of results for tests of plots."""

from __future__ import annotations

from tracker.reports.plot.timeline import Timeline, timeline
from tracker.sinks.json_lines import FaceLine, ResultLine


def face_line(number: int, blinks: int = 0, eye: float | None = 0.3) -> FaceLine:
    """Return a face of a line of results; ``eye`` is the openness of the left eye."""
    return FaceLine(number, 0.9, None, eye, 0.2, 0.1, 1.0, 2.0, None, blinks)


def result_lines(*faces: tuple[FaceLine, ...] | None, fps: float = 25) -> list[ResultLine]:
    """Return the results of a video with these faces in each frame; None is a frame that failed."""
    return [
        ResultLine("a.mp4", i, i / fps, some or (), "damaged" if some is None else None)
        for i, some in enumerate(faces)
    ]


def video_timeline(count: int = 40, people: int = 1, source: str = "a.mp4") -> Timeline:
    """Return the timeline of a video in which every face is lost in each ninth frame and blinks at 20."""
    some = [
        ResultLine(
            source, i, i / 25, tuple(face_line(n, i // 20) for n in range(1, people + 1) if (i + n) % 9), None
        )
        for i in range(count)
    ]
    return timeline(some, "o")
