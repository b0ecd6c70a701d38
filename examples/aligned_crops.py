"""Cut faces out for a data set: turned upright, all of one size, the eyes always at the same pixels.

    python examples/aligned_crops.py photos/ crops/              every face of a folder of pictures
    python examples/aligned_crops.py film.mp4 crops/ --every 25  one frame of 25, as a second has
    python examples/aligned_crops.py                             the camera, into crops/; Ctrl-C ends it

Beside the crops it writes points.csv: for each crop the 68 points, x0,y0,x1,y1,..., in the crop's pixels.
"""

import argparse
import csv
import sys
from pathlib import Path

import cv2
import numpy as np

from tracker import PARTS, Landmarks, TrackerError, open_sink, open_source, open_tracker

EYES = ((0.35, 0.4), (0.65, 0.4))  # places of the eyes left and right in the crop, parts of its side


def alignment(face: Landmarks, size: int) -> np.ndarray:
    """Return the matrix ``(2, 3)`` that moves, turns and scales a frame until the eyes are in place."""
    eyes = [face.points_frame[list(PARTS[eye])].mean(axis=0) for eye in ("left_eye", "right_eye")]
    (to_left, to_right), (left, right) = size * np.array(EYES) @ (1, 1j), np.array(eyes) @ (1, 1j)
    factor = (to_right - to_left) / (right - left)  # as complex numbers: a turn and a scale
    shift = to_left - factor * left
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def main() -> None:
    """Find the faces of each picture on its own, and write one crop for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="0", help="folder, picture, video or camera; default: 0")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("crops"), help="default: crops")
    parser.add_argument("--size", type=int, default=256, help="side of a crop in pixels; default: 256")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take one frame of N; default: 1")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    crops = 0
    with (
        open_source(options.source) as source,
        open_tracker() as tracker,
        (options.folder / "points.csv").open("w", newline="", encoding="utf-8") as file,
    ):
        table = csv.writer(file)
        table.writerow(["file", *(f"{axis}{i}" for i in range(68) for axis in "xy")])
        for frame in source:
            if frame.index % options.every:
                continue
            result = tracker.find(frame)
            for face in result.faces:
                matrix = alignment(face.landmarks, options.size)
                crop = cv2.warpAffine(frame.image_bgr, matrix, (options.size, options.size))
                name = f"{Path(frame.source).name}-{frame.index:06d}-{face.id}.png"
                with open_sink(options.folder / name) as image:
                    image.write(result, np.asarray(crop, np.uint8))
                points = face.landmarks.points_frame @ matrix[:, :2].T + matrix[:, 2]
                table.writerow([name, *points.ravel().round(2)])
                crops += 1
    print(f"wrote {crops} crops and points.csv into {options.folder}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except TrackerError as error:
        sys.exit(f"aligned_crops: {error}")
