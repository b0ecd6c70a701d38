"""The contender of this project.

Run as ``python -m benchmarks.peer_tracker FRAMES MODE MODEL BACKEND THREADS MAX_FACES``.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable

from benchmarks.peer_loop import serve, treats_stills
from tracker.distribution import version
from tracker.errors import TrackerError
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import keep_opencv_to_one_thread, open_tracker
from tracker.types import Frame, ImageArray


def main() -> None:
    """Track up to MAX_FACES faces, or find all of each still, with the default settings otherwise."""
    model, backend, threads, max_faces = sys.argv[3], sys.argv[4], int(sys.argv[5]), int(sys.argv[6])
    stills = treats_stills()
    keep_opencv_to_one_thread()
    with open_tracker(model, backend, threads=threads, max_faces=max_faces) as tracker:
        locate = _finding(tracker) if stills else _following(tracker)
        serve(f"tracker {version()} {tracker.label}", locate)


def _following(tracker: FaceTracker) -> Callable[[ImageArray], bool]:
    clock = itertools.count()

    def locate(frame_bgr: ImageArray) -> bool:
        index = next(clock)
        return len(tracker.step(Frame(frame_bgr, index, index / 30)).faces) > 0

    return locate


def _finding(tracker: FaceTracker) -> Callable[[ImageArray], bool]:
    return lambda frame_bgr: len(tracker.find(Frame(frame_bgr, 0, 0.0)).faces) > 0


if __name__ == "__main__":
    try:
        main()
    except TrackerError as error:
        sys.exit(str(error))
