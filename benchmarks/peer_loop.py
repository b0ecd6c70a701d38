"""Measuring loop of a contender: for each request, locate faces in all frames and report the times.

It imports numpy only, so that the environment of any peer can run it. Frames are ``(N, H, W, 3)`` uint8 BGR
in the .npy file of the first argument; the second is the mode, one of :data:`MODES`. It prints lines of
JSON: first ``{"ready": VERSION}``, then for each line of input ``{"ms": [...], "found": F}``: milliseconds
per frame, number of frames with a face.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

MODES = ("video", "stills")
"""``video``: frames that follow each other. ``stills``: each frame is treated on its own."""


def treats_stills() -> bool:
    """Return whether the mode on the command line is ``stills``; an unknown one ends the process."""
    mode = sys.argv[2]
    if mode not in MODES:
        sys.exit(f"unknown mode {mode!r}: choose one of {', '.join(MODES)}")
    return mode == "stills"


def serve(version: str, locate: Callable[[Any], bool]) -> None:
    """Measure a round for each line of input until it ends.

    ``locate`` returns whether it found a face in a frame ``(H, W, 3)``.
    """
    # Output of libraries goes to standard error, apart from the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    frames = np.load(sys.argv[1])
    _send(answers, {"ready": version})
    for _ in sys.stdin:
        times, found = [], 0
        for frame in frames:
            started = time.perf_counter()
            found += locate(frame)
            times.append(1000 * (time.perf_counter() - started))
        _send(answers, {"ms": times, "found": found})


def _send(answers: Any, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()
