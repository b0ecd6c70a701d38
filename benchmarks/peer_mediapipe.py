"""The MediaPipe FaceMesh contender: one face, tracked from frame to frame on video, detected in each still.

It runs in the interpreter of an environment with mediapipe 0.10.21, which opens no internet socket (traced
by ``tests/benchmarks/test_peers_real.py``).
"""

from importlib.metadata import version
from typing import Any

import cv2
import mediapipe
from peer_loop import serve, treats_stills

mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=treats_stills(), max_num_faces=1)


def locate(frame_bgr: Any) -> bool:
    """Locate the face; return whether there is one. FaceMesh needs RGB, so the conversion is timed too."""
    return mesh.process(cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2RGB)).multi_face_landmarks is not None


serve(f"mediapipe {version('mediapipe')} FaceMesh", locate)
