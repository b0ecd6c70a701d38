"""iBUG's points on a mean head in millimetres, for placing heads and completing partly labelled faces."""

from __future__ import annotations

import numpy as np

from tracker.scheme.ibug68 import MIRROR
from tracker.types import N_POINTS, FloatArray

# The result of `python -m train mean-head` for the 300-W training labels and, twice, the CFP profiles of the
# training side (30 points each), in round millimetres. 300-W draws the jaw of a turned face along its
# silhouette, so those jaws do not count from 15 degrees of yaw on. Outer eye corners are 90 mm apart, as in
# tracker.tracking.measures.head_pose.
# fmt: off
_LEFT_AND_MIDDLE_MM = {
    0: (-73, 7, 71), 1: (-72, 26, 67), 2: (-70, 45, 64), 3: (-66, 63, 57), 4: (-59, 80, 45),
    5: (-48, 94, 30), 6: (-34, 105, 13), 7: (-18, 113, -4), 8: (0, 115, -26), 17: (-60, -13, 6),
    18: (-51, -22, -5), 19: (-38, -24, -13), 20: (-25, -23, -24), 21: (-12, -19, -28), 27: (0, -4, -34),
    28: (0, 9, -40), 29: (0, 20, -48), 30: (0, 33, -55), 31: (-15, 42, -27), 32: (-8, 45, -34),
    33: (0, 47, -40), 36: (-45, 0, 0), 37: (-37, -5, -8), 38: (-27, -6, -14), 39: (-19, 0, -18),
    40: (-28, 3, -14), 41: (-38, 3, -8), 48: (-28, 68, -13), 49: (-18, 62, -25), 50: (-7, 59, -35),
    51: (0, 60, -39), 57: (0, 82, -35), 58: (-8, 81, -28), 59: (-18, 77, -19), 60: (-24, 68, -9),
    61: (-7, 66, -32), 62: (0, 67, -37), 66: (0, 73, -34), 67: (-8, 71, -28),
}
# fmt: on


def _head() -> FloatArray:
    head = np.zeros((N_POINTS, 3))
    for point, (x, y, z) in _LEFT_AND_MIDDLE_MM.items():
        head[point] = x, y, z
        head[MIRROR[point]] = -x, y, z
    head.setflags(write=False)
    return head


HEAD_MM = _head()
"""``(P, 3)``, iBUG's points: x right, y down, z away from the camera, from between the outer eye corners."""
