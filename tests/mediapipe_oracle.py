"""Print the faces that MediaPipe finds: ``python mediapipe_oracle.py MODEL.tflite PICTURE.npy ...``.

Runs alone, under any interpreter that has mediapipe. The pictures are RGB uint8 arrays. Prints one
JSON object: ``whole_pixels`` (newer releases round their boxes) and ``pictures``, a list of faces each:
``score``, ``box`` (x0, y0, x1, y1) and ``keypoints`` in pixels.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import mediapipe
import numpy as np

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Face = dict[str, Any]


def solutions(pictures: Iterable[Picture]) -> Iterator[list[Face]]:
    """Yield the faces of each picture by mediapipe < 0.10.30, which carries its model."""
    with mediapipe.solutions.face_detection.FaceDetection(0, 0.5) as detector:
        for picture in pictures:
            height, width = picture.shape[:2]
            faces = []
            for found in detector.process(picture).detections or []:
                box, points = (
                    found.location_data.relative_bounding_box,
                    found.location_data.relative_keypoints,
                )
                corners = [box.xmin, box.ymin, box.xmin + box.width, box.ymin + box.height]
                faces.append(
                    face(found.score[0], np.reshape(corners, (2, 2)) * (width, height), points, picture)
                )
            yield faces


def tasks(pictures: Iterable[Picture], model: str) -> Iterator[list[Face]]:
    """Yield the faces of each picture by mediapipe >= 0.10.30."""
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceDetectorOptions(BaseOptions(model), min_detection_confidence=0.5)
    with vision.FaceDetector.create_from_options(options) as detector:
        for picture in pictures:
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture)
            faces = []
            for found in detector.detect(image).detections:
                box = found.bounding_box
                x0, y0 = box.origin_x, box.origin_y
                corners = [[x0, y0], [x0 + box.width, y0 + box.height]]
                faces.append(face(found.categories[0].score, corners, found.keypoints, picture))
            yield faces


def face(score: float, corners: Any, keypoints: Iterable[Any], picture: Picture) -> Face:
    """Return a face as the caller prints it; ``keypoints`` are fractions of the picture's size."""
    height, width = picture.shape[:2]
    return {
        "score": float(score),
        "box": np.reshape(corners, 4).astype(float).tolist(),
        "keypoints": [[point.x * width, point.y * height] for point in keypoints],
    }


if __name__ == "__main__":
    old = hasattr(mediapipe, "solutions")
    loaded = (np.load(path) for path in sys.argv[2:])
    found = list(solutions(loaded) if old else tasks(loaded, sys.argv[1]))
    sys.stdout.write(json.dumps({"whole_pixels": not old, "pictures": found}))
