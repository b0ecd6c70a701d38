"""The package as a library: public names, light import, and the programs in the README."""

from __future__ import annotations

import ast
import importlib
import inspect
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
from tracker.distribution import DISTRIBUTION

PUBLIC_NAMES = {
    "Admission",
    "Anonymiser",
    "BackendError",
    "BatchError",
    "BenchError",
    "ClusterError",
    "CsvSink",
    "Damage",
    "DisplayError",
    "DlibSink",
    "DrawStyle",
    "FaceBox",
    "FaceDetector",
    "FaceLine",
    "FaceMeasures",
    "FaceTracker",
    "FailureSink",
    "FileSink",
    "Film",
    "Frame",
    "FrameResult",
    "Head",
    "Hidden",
    "IdentitySettings",
    "ImageSink",
    "JsonSink",
    "Landmarker",
    "Landmarks",
    "Located",
    "MisuseError",
    "NumberedImageSink",
    "OneEuro",
    "OpenFaceSink",
    "OpenedTracker",
    "OscSink",
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
    "Scheme",
    "ServeError",
    "SinkError",
    "Source",
    "SourceError",
    "Span",
    "Stretch",
    "TrackedFace",
    "TrackerError",
    "TrackerOptions",
    "TrackerSettings",
    "TrackerState",
    "VideoSink",
    "View",
    "VirtualCamera",
    "WeightsError",
    "annotate",
    "draw_badge",
    "draw_faces",
    "frame_from",
    "frames_from",
    "mirror_faces",
    "open_detector",
    "open_sink",
    "open_source",
    "open_tracker",
    "read_results",
    "read_table",
    "results_table",
}

PUBLIC_VALUES = {
    "EDGES": "scheme.ibug68",
    "ImageArray": "types",
    "ImageLike": "sources.arrays",
    "MIRROR": "scheme.ibug68",
    "N_POINTS": "scheme.ibug68",
    "PARTS": "scheme.ibug68",
    "SCHEMES": "scheme.shipped",
}
"""Constants and names of types, with the modules that define them."""


def test_the_public_names_are_exactly_these() -> None:
    assert set(tracker.__all__) == {*PUBLIC_NAMES, *PUBLIC_VALUES}
    assert len(tracker.__all__) == len(PUBLIC_NAMES) + len(PUBLIC_VALUES)


@pytest.mark.parametrize("name", sorted(PUBLIC_NAMES))
def test_a_public_name_resolves_and_has_a_docstring(name: str) -> None:
    public = getattr(tracker, name)
    assert public.__name__ == name
    assert public.__doc__
    assert name in dir(tracker)


@pytest.mark.parametrize("name", sorted(PUBLIC_VALUES))
def test_a_public_value_is_that_of_its_module_and_has_a_docstring(name: str) -> None:
    module = importlib.import_module(f"tracker.{PUBLIC_VALUES[name]}")
    assert getattr(tracker, name) is getattr(module, name)
    assert name in dir(tracker)
    body = ast.parse(inspect.getsource(module)).body
    (place,) = [i for i, node in enumerate(body) if name in _targets(node)]
    after = body[place + (2 if name == "MIRROR" else 1)]  # MIRROR is made read-only in between
    assert isinstance(after, ast.Expr)
    assert isinstance(after.value, ast.Constant)
    assert isinstance(after.value.value, str)


def _targets(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _members(name: str) -> list[tuple[str, object]]:
    """Return the public methods and properties that a public class of the package defines or inherits."""
    public = getattr(tracker, name)
    if not isinstance(public, type):
        return []
    return [
        (f"{name}.{member}", value)
        for member, value in inspect.getmembers(public)
        if not member.startswith("_")
        and (inspect.isroutine(value) or isinstance(value, property))
        and getattr(value, "__module__", "tracker").startswith("tracker")
    ]


INTERNAL_TYPES = {
    *("CropRule", "Edge", "Measured", "Upright"),  # of a scheme; those of one's own are read from files
    *("CutDetector", "Search", "Sighting", "Track"),  # of a state, which is kept and given back as a whole
    *(
        "KnownBoxes",
        "OpenedLandmarker",
        "Pending",
        "StandardOutput",
        "Trim",
    ),  # of what the command line opens
    *(
        "Cell",
        "ChannelOrder",
        "Color",
        "Corner",
        "Edge",
        "FaceLimits",
        "FloatArray",
        "Layer",
        "Mode",
    ),  # plain values
    "SmoothingName",
}
"""Types of the package in public signatures that no program needs by name."""


def test_signatures_of_public_names_are_of_public_types() -> None:
    functions = [value for name in PUBLIC_NAMES if inspect.isfunction(value := getattr(tracker, name))]
    for name in sorted(PUBLIC_NAMES):
        members = [value.fget if isinstance(value, property) else value for _, value in _members(name)]
        functions += [member for member in (*members, getattr(tracker, name).__init__) if _is_ours(member)]
    assert len(functions) > 80
    told = {word for f in functions for hint in f.__annotations__.values() for word in _words(str(hint))}
    assert (told & _defined()) - INTERNAL_TYPES - {*PUBLIC_NAMES, *PUBLIC_VALUES} == set()


def _is_ours(member: object) -> bool:
    return inspect.isfunction(member) and member.__module__.startswith("tracker")


def _words(hint: str) -> list[str]:
    return re.findall(r"[A-Za-z_]\w*", hint)


def _defined() -> set[str]:
    """Return the names of all classes and type aliases at the top of the package's modules."""
    names: set[str] = set()
    for path in (REPO / "tracker").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names |= {node.name} if isinstance(node, ast.ClassDef) else set(_targets(node))
    return {name for name in names if name[0].isupper() and not name.isupper()}


def test_every_public_method_has_a_docstring() -> None:
    members = [member for name in sorted(PUBLIC_NAMES) for member in _members(name)]
    assert len(members) > 50
    assert [name for name, value in members if not inspect.getdoc(value)] == []


def test_all_error_classes_are_public() -> None:
    values = vars(errors).items()
    classes = {name for name, value in values if isinstance(value, type) and issubclass(value, Exception)}
    assert classes == {name for name in PUBLIC_NAMES if name.endswith("Error")}
    assert all(issubclass(getattr(tracker, name), tracker.TrackerError) for name in classes)


def test_the_version_is_that_of_the_installed_package() -> None:
    assert tracker.__version__ == version(DISTRIBUTION)
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
