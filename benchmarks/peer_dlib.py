"""dlib as a contender: its HOG detector in every frame and the 68-point predictor, as its users run it.

Run by the interpreter of an environment that holds dlib-bin and face_recognition_models.
"""

from importlib.metadata import version
from typing import Any

import cv2
import dlib
import face_recognition_models
from peer_loop import serve

detector = dlib.get_frontal_face_detector()
predictor = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())


def locate(frame_bgr: Any) -> bool:
    """All faces' points, on the grey picture that both models work on."""
    grey = cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2GRAY)
    return len([predictor(grey, box).parts() for box in detector(grey)]) > 0


serve(f"dlib {version('dlib-bin')} HOG and 68 points", locate)
