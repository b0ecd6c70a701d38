"""Boxes of MediaPipe's full-range face detector, computed in the interpreter of its own environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tracker.errors import BenchError
from tracker.types import FaceBox

_SCRIPT = """
import json, sys
import cv2, mediapipe
found = []
FaceDetection = mediapipe.solutions.face_detection.FaceDetection
with FaceDetection(model_selection=1, min_detection_confidence=0.5) as detector:
    for path in json.load(sys.stdin):
        image = cv2.imread(path)
        height, width = image.shape[:2]
        answer = detector.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).detections or []
        boxes = [one.location_data.relative_bounding_box for one in answer]
        found.append([
            [b.xmin * width, b.ymin * height, (b.xmin + b.width) * width, (b.ymin + b.height) * height]
            for b in boxes
        ])
print(json.dumps(found))
"""
"""The full-range model, which MediaPipe offers for faces further away."""


def mediapipe_boxes(python: Path, pictures: Sequence[Path]) -> list[list[FaceBox]]:
    """Return the boxes in each of ``pictures`` from mediapipe 0.10.21 in the environment of ``python``.

    Raises :class:`~tracker.errors.BenchError` if it does not run.
    """
    paths = json.dumps([str(path.resolve()) for path in pictures])
    try:
        done = subprocess.run(
            [python, "-c", _SCRIPT], input=paths, capture_output=True, text=True, check=True
        )
        answer = json.loads(done.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise BenchError(f"{python} does not run mediapipe's detector: {error}") from error
    return [[FaceBox(*box) for box in boxes if box[0] < box[2] and box[1] < box[3]] for boxes in answer]
