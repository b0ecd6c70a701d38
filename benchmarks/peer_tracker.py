"""The contender of this project: ``python -m benchmarks.peer_tracker FRAMES MODEL BACKEND THREADS``."""

from __future__ import annotations

import itertools
import sys
from importlib.metadata import version

from benchmarks.peer_loop import serve
from tracker.errors import TrackerError
from tracker.inference.opening import open_blazeface, open_landmarker
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS
from tracker.types import Frame, ImageArray


def main() -> None:
    """Track one face with the default settings of the command line."""
    model, backend, threads = sys.argv[2], sys.argv[3], int(sys.argv[4])
    opened = open_landmarker(model, backend, threads)
    settings = TrackerSettings(max_faces=1, smoothing=PRESETS["low"])
    tracker = FaceTracker(open_blazeface(threads), opened.landmarker, settings)
    clock = itertools.count()

    def locate(frame_bgr: ImageArray) -> bool:
        index = next(clock)
        return len(tracker.step(Frame(frame_bgr, index, index / 30)).faces) > 0

    serve(f"tracker {version('tracker')} {model} {opened.file.precision} on {opened.provider}", locate)


if __name__ == "__main__":
    try:
        main()
    except TrackerError as error:
        sys.exit(str(error))
