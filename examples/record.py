"""Write all that the tracker sees into files of your choice: tables and films, each by its suffix.

    python examples/record.py                                    the camera into faces.csv; Ctrl-C ends it
    python examples/record.py film.mp4 --to faces.csv marked.mp4 points.jsonl

This is the whole loop of the library: frames come in, faces come out, sinks keep them.
"""

import argparse
import sys
from contextlib import ExitStack

from tracker import TrackerError, annotate, open_sink, open_source, open_tracker


def main() -> None:
    """Follow the faces, and write each frame to each file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="0", help="camera, URL or video; default: camera 0")
    parser.add_argument("--to", nargs="+", default=["faces.csv"], metavar="FILE", help="default: faces.csv")
    options = parser.parse_args()
    with open_source(options.source) as source, open_tracker() as tracker, ExitStack() as files:
        sinks = [files.enter_context(open_sink(path, source)) for path in options.to]
        for frame in source:
            result = tracker.step(frame)
            picture = annotate(frame, result)
            for sink in sinks:
                sink.write(result, picture)
    print("wrote", *options.to)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except TrackerError as error:
        sys.exit(f"record: {error}")
