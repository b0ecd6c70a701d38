"""The package as a library: public names, light import, and the programs in the README."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pytest

import tracker
from tests.cli import REPO, run_code
from tests.faces import astronaut
from tests.media import face_video
from tracker import errors

PUBLIC_NAMES = {
    "Anonymiser",
    "BackendError",
    "BatchError",
    "BenchError",
    "CsvSink",
    "Damage",
    "DisplayError",
    "DlibSink",
    "FaceBox",
    "FaceDetector",
    "FaceLine",
    "FaceMeasures",
    "FaceTracker",
    "FailureSink",
    "Film",
    "Frame",
    "FrameResult",
    "Head",
    "ImageSink",
    "JsonSink",
    "Landmarker",
    "Landmarks",
    "NumberedImageSink",
    "OneEuro",
    "OpenFaceSink",
    "OpenedTracker",
    "OscSink",
    "Panel",
    "ParquetSink",
    "Picture",
    "PictureSink",
    "PtsSink",
    "ReadFailure",
    "ReaderGoneError",
    "ResultLine",
    "ResultSink",
    "Results",
    "ResultsError",
    "SinkError",
    "Source",
    "SourceError",
    "TrackedFace",
    "TrackerError",
    "TrackerOptions",
    "TrackerSettings",
    "TrackerState",
    "VideoSink",
    "VirtualCamera",
    "WeightsError",
    "annotate",
    "draw_faces",
    "frame_from",
    "mirror_faces",
    "open_source",
    "open_tracker",
    "read_results",
}


def test_the_public_names_are_exactly_these() -> None:
    assert set(tracker.__all__) == PUBLIC_NAMES
    assert len(tracker.__all__) == len(PUBLIC_NAMES)


@pytest.mark.parametrize("name", sorted(PUBLIC_NAMES))
def test_a_public_name_resolves_and_has_a_docstring(name: str) -> None:
    public = getattr(tracker, name)
    assert public.__name__ == name
    assert public.__doc__
    assert name in dir(tracker)


def test_all_error_classes_are_public() -> None:
    classes = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert classes == {name for name in PUBLIC_NAMES if name.endswith("Error")}
    assert all(issubclass(getattr(tracker, name), tracker.TrackerError) for name in classes)


def test_the_version_is_that_of_the_installed_package() -> None:
    assert tracker.__version__ == version("tracker")
    assert "__version__" in dir(tracker)


def test_other_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = tracker.nothing


def test_importing_the_package_imports_nothing_heavy() -> None:
    done = run_code(
        "import sys; import tracker; from tracker import TrackerError\n"
        "heavy = {'cv2', 'onnxruntime', 'av', 'numpy', 'typer', 'rich'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    assert done.exit_code == 0, done.stderr


def _readme_program(index: int) -> str:
    text = (REPO / "README.md").read_text(encoding="utf-8")
    programs: list[str] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return programs[index]


def test_the_readme_program_follows_faces(tmp_path: Path) -> None:
    face_video(tmp_path / "in.mp4", 5)
    program = _readme_program(0)
    assert 'open_source("0")' in program
    done = run_code(program.replace('"0"', '"in.mp4"'), cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("1 ") for line in lines)


def test_the_readme_program_finds_faces_in_an_array(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.jpg"), astronaut())
    done = run_code(_readme_program(1), cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    x, y = map(float, done.stdout.split())
    assert np.hypot(x - 183, y - 126) < 5  # the tip of the nose in the portrait
