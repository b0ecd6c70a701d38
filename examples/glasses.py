"""Draw something of your own on faces: sunglasses that follow eyes, size and tilt.

    python examples/glasses.py                     the camera, into glasses.mp4; Ctrl-C ends it
    python examples/glasses.py film.mp4 cool.gif   a video
    python examples/glasses.py me.jpg cool.png     a photo

PARTS names the points of eyes, brows, nose, lips and jaw, so there is no need to know their numbers.
"""

import argparse
import sys

import cv2
import numpy as np

from tracker import PARTS, ImageArray, Landmarks, TrackerError, open_sink, open_source, open_tracker

DARK = (20, 20, 20)


def put_glasses_on(canvas_bgr: ImageArray, face: Landmarks) -> None:
    """Draw a lens over each eye, and a bridge between them, in place."""
    points = face.points_frame
    left, right = (points[list(PARTS[eye])].mean(axis=0) for eye in ("left_eye", "right_eye"))
    across = right - left
    distance, tilt_deg = float(np.hypot(*across)), float(np.degrees(np.arctan2(across[1], across[0])))
    lens = (round(0.38 * distance), round(0.28 * distance))
    for eye in (left, right):
        cv2.ellipse(canvas_bgr, pixel(eye), lens, tilt_deg, 0, 360, DARK, cv2.FILLED, cv2.LINE_AA)
    bridge = (pixel(left + 0.3 * across), pixel(right - 0.3 * across))
    cv2.line(canvas_bgr, *bridge, DARK, max(round(0.08 * distance), 1), cv2.LINE_AA)


def pixel(point: np.ndarray) -> tuple[int, int]:
    """Return the pixel that is nearest to ``point`` ``(2,)``."""
    return round(float(point[0])), round(float(point[1]))


def main() -> None:
    """Follow the faces, and draw on a copy of each frame."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="0", help="camera, video or photo; default: camera 0")
    parser.add_argument("output", nargs="?", default="glasses.mp4", help="default: glasses.mp4")
    options = parser.parse_args()
    with (
        open_source(options.source) as source,
        open_tracker() as tracker,
        open_sink(options.output, source) as film,
    ):
        for frame in source:
            result = tracker.step(frame)
            canvas_bgr = frame.image_bgr.copy()
            for face in result.faces:
                put_glasses_on(canvas_bgr, face.landmarks)
            film.write(result, canvas_bgr)
    print(f"wrote {options.output}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except TrackerError as error:
        sys.exit(f"glasses: {error}")
