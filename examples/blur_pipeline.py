"""Blur faces in the middle of a pipeline of your own: OpenCV reads, your code works, a film comes out.

    python examples/blur_pipeline.py                        the camera, into blurred.mp4; Ctrl-C ends it
    python examples/blur_pipeline.py film.mp4 blurred.mkv   a video; or blurred_%04d.png for pictures

Any iterable of pictures can take the place of OpenCV's: arrays of a camera's own library, or rendered ones.
"""

import argparse
import sys
from collections.abc import Iterator

import cv2
import numpy as np

from tracker import Anonymiser, ImageArray, TrackerError, frames_from, open_detector, open_sink, open_tracker


def pictures(capture: cv2.VideoCapture) -> Iterator[ImageArray]:
    """Yield the pictures of OpenCV's ``capture`` until it has no more."""
    while True:
        found, image_bgr = capture.read()
        if not found:
            return
        yield own_step(np.asarray(image_bgr, np.uint8))


def own_step(image_bgr: ImageArray) -> ImageArray:
    """Return the picture mirrored: here stands what your pipeline does."""
    return image_bgr[:, ::-1]


def main() -> None:
    """Read, change, blur and write picture by picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="0", help="camera or video; default: camera 0")
    parser.add_argument("output", nargs="?", default="blurred.mp4", help="default: blurred.mp4")
    options = parser.parse_args()
    is_camera = options.source.isdigit()
    capture = cv2.VideoCapture(int(options.source) if is_camera else options.source)
    if not capture.isOpened():
        sys.exit(f"blur_pipeline: OpenCV cannot open {options.source}: give a camera's number or a video")
    fps = capture.get(cv2.CAP_PROP_FPS) or 30.0
    anonymiser = Anonymiser("blur", open_detector(), thorough=not is_camera)
    try:
        with open_tracker() as tracker, open_sink(options.output) as film:
            for frame in frames_from(pictures(capture), fps, options.source):
                result = tracker.step(frame)
                film.write(result, anonymiser.hide(frame, result).frame.image_bgr)
    finally:
        capture.release()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except TrackerError as error:
        sys.exit(f"blur_pipeline: {error}")
