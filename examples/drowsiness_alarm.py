"""Ring when somebody's eyes stay closed for longer than a blink.

    python examples/drowsiness_alarm.py                    the camera; Ctrl-C ends it
    python examples/drowsiness_alarm.py film.mp4           a video
    python examples/drowsiness_alarm.py --after 2          only after two seconds

Open eyes measure 0.25 on one face and 0.4 on another, so each person's own level is learnt first.
This shows how to watch a measure over time. It is no safety device: do not drive by it.
"""

import argparse
import sys

from tracker import FaceMeasures, TrackerError, open_source, open_tracker

CLOSED = 0.6  # of the openness of the person's open eyes
FORGET = 0.999  # a frame: the level sinks slowly, in case it was learnt from eyes wide open


class Eyes:
    """The eyes of one person: how open they usually are, and since when they are closed."""

    def __init__(self) -> None:
        self.usual = 0.0
        self.closed_since_s: float | None = None
        self.has_rung = False

    def closed_s(self, measures: FaceMeasures, time_s: float) -> float:
        """Return for how many seconds the eyes have been closed, 0 while one is open."""
        ratios = [ratio for ratio in measures.eye_open if ratio is not None]
        if not ratios:
            return 0.0
        openness = max(ratios)
        self.usual = max(FORGET * self.usual, openness)
        if openness > CLOSED * self.usual:
            self.closed_since_s, self.has_rung = None, False
            return 0.0
        if self.closed_since_s is None:
            self.closed_since_s = time_s
        return time_s - self.closed_since_s


def main() -> None:
    """Print a line, with a bell, each time that eyes have been closed for too long."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="0", help="camera, URL or video; default: camera 0")
    parser.add_argument("--after", type=float, default=1.0, metavar="SECONDS", help="default: 1")
    options = parser.parse_args()
    people: dict[int, Eyes] = {}
    with open_source(options.source) as source, open_tracker() as tracker:
        for frame in source:
            for face in tracker.step(frame).faces:
                eyes = people.setdefault(face.id, Eyes())
                closed_s = eyes.closed_s(face.measures, frame.time_s)
                if closed_s >= options.after and not eyes.has_rung:
                    eyes.has_rung = True
                    print(f"\a{frame.time_s:8.2f} s: wake up, person {face.id}!", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except TrackerError as error:
        sys.exit(f"drowsiness_alarm: {error}")
