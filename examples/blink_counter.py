"""Count the blinks of everybody in view, and how many a minute that is.

    python examples/blink_counter.py              the camera; Ctrl-C ends it
    python examples/blink_counter.py film.mp4     a video

The tracker counts: a blink is both eyes closing and opening again within 0.7 seconds.
"""

import argparse
import sys
from dataclasses import dataclass

from tracker import TrackerError, open_source, open_tracker


@dataclass
class Person:
    """A face that is followed: since when, until when, and its blinks so far."""

    first_s: float
    last_s: float = 0.0
    blinks: int = 0

    @property
    def per_minute(self) -> float:
        """Blinks a minute since the face was first seen."""
        return 60 * self.blinks / max(self.last_s - self.first_s, 1.0)


def main() -> None:
    """Print a line for each blink and, at the end, one for each person."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="0", help="camera, URL or video; default: camera 0")
    people: dict[int, Person] = {}
    try:
        count(parser.parse_args().source, people)
    finally:  # also after Ctrl-C
        for number, person in people.items():
            print(f"person {number}: {person.blinks} blinks, {person.per_minute:.1f} a minute")


def count(name: str, people: dict[int, Person]) -> None:
    """Follow the faces of the source ``name`` to its end, and keep ``people`` up to date."""
    with open_source(name) as source, open_tracker() as tracker:
        for frame in source:
            for face in tracker.step(frame).faces:
                person = people.setdefault(face.id, Person(frame.time_s))
                person.last_s = frame.time_s
                if face.measures.blinks > person.blinks:
                    print(f"{frame.time_s:8.2f} s: person {face.id} blinked", flush=True)
                person.blinks = face.measures.blinks


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except TrackerError as error:
        sys.exit(f"blink_counter: {error}")
