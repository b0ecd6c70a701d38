"""What every contender runs: wait for a round, go through the frames, answer with its times.

It imports numpy only, so that a peer's own environment can run it. Frames are ``(N, H, W, 3)`` uint8 BGR in
the .npy file that the first argument names. Lines of JSON go out: first ``{"ready": VERSION}``, then for each
line that comes in ``{"ms": [...], "found": F}``, milliseconds a frame and frames with a face.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def serve(version: str, locate: Callable[[Any], bool]) -> None:
    """Answer rounds until the input ends; ``locate`` says whether it found a face in a frame."""
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    frames = np.load(sys.argv[1])
    _say(answers, {"ready": version})
    for _ in sys.stdin:
        times, found = [], 0
        for frame in frames:
            started = time.perf_counter()
            found += locate(frame)
            times.append(1000 * (time.perf_counter() - started))
        _say(answers, {"ms": times, "found": found})


def _say(answers: Any, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()
