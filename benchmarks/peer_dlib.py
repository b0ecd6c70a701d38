"""The dlib contender: HOG detector in every frame, then the 68-point predictor, on video as on stills.

It runs in the interpreter of an environment with dlib-bin and face_recognition_models.
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
    """Locate the points of all faces in grey, as both models require; return whether there is a face."""
    grey = cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2GRAY)
    return len([predictor(grey, box).parts() for box in detector(grey)]) > 0


serve(f"dlib {version('dlib-bin')} HOG and 68 points", locate)
