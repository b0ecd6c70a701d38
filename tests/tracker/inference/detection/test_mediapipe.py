"""Detector of the mediapipe library: errors that need no mediapipe."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import pytest

from tests.faces import CONSTANT_BOX
from tracker.errors import BackendError
from tracker.inference.detection.mediapipe import MediaPipeDetector


def test_a_missing_library_is_an_error_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BackendError, match=r"pip install 'tracker68\[mediapipe\]'"):
        MediaPipeDetector(tmp_path / "x.tflite", CONSTANT_BOX)


@pytest.mark.parametrize("min_score", [0.0, 1.0, -1.0, math.nan])
def test_a_min_score_out_of_range_is_refused(min_score: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="min_score"):
        MediaPipeDetector(tmp_path, CONSTANT_BOX, min_score)
