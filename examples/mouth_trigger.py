"""Take a picture each time that somebody opens the mouth: a photo booth without hands.

    python examples/mouth_trigger.py                    the camera, pictures in booth/; Ctrl-C ends it
    python examples/mouth_trigger.py film.mp4 --folder pictures

Put your own action in the place of the picture: a light, a note, the next slide.
"""

import argparse
import sys
from pathlib import Path

from tracker import TrackerError, annotate, open_sink, open_source, open_tracker

OPENS = 0.3  # height over width of the inner lips
CLOSES = 0.24  # lower, so that a mouth held half open does not trigger again and again


class Mouth:
    """The mouth of one person, open or closed."""

    is_open = False

    def just_opened(self, openness: float) -> bool:
        """Return whether it was closed before and is open now."""
        was_open = self.is_open
        self.is_open = openness > (CLOSES if was_open else OPENS)
        return self.is_open and not was_open


def main() -> None:
    """Watch everybody's mouth, and save a marked picture whenever one opens."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="0", help="camera, URL or video; default: camera 0")
    parser.add_argument("--folder", type=Path, default=Path("booth"), help="for the pictures; default: booth")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    mouths: dict[int, Mouth] = {}
    with (
        open_source(options.source) as source,
        open_tracker() as tracker,
        open_sink(options.folder / "picture_%03d.png", source) as booth,
    ):
        for frame in source:
            result = tracker.step(frame)
            opened = [
                face.id
                for face in result.faces
                if mouths.setdefault(face.id, Mouth()).just_opened(face.measures.mouth_open or 0.0)
            ]
            if opened:
                booth.write(result, annotate(frame, result))
                print(f"{frame.time_s:8.2f} s: picture of person {opened[0]}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except TrackerError as error:
        sys.exit(f"mouth_trigger: {error}")
