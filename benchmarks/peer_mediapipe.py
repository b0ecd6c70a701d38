"""MediaPipe's FaceMesh as a contender: one face, tracked from frame to frame, as its users run it on video.

Run by the interpreter of an environment that holds mediapipe 0.10.21, which opens no internet socket
(traced by ``tests/benchmarks/test_peers_real.py``).
"""

from importlib.metadata import version
from typing import Any

import cv2
import mediapipe
from peer_loop import serve

mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=False, max_num_faces=1)


def locate(frame_bgr: Any) -> bool:
    """FaceMesh wants RGB: turning it round is part of its price."""
    return mesh.process(cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2RGB)).multi_face_landmarks is not None


serve(f"mediapipe {version('mediapipe')} FaceMesh", locate)
