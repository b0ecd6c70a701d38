"""Builds of OpenCV and ONNX Runtime: which one is in use, and what to do where several are installed.

Several distributions install the same package: builds with and without windows, for CPU or GPU. pip lets two
of them meet, and the files of the one that was installed last replace those of the other.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracker.distribution import installed, swap_command


@dataclass(frozen=True)
class Library:
    """A library that several distributions install as the same ``package``.

    ``builds`` are the distributions' names; of two that meet, the earlier one can do more. ``about`` is a
    file in the package that says which build it belongs to.
    """

    name: str
    package: str
    builds: tuple[str, ...]
    about: str


ONNX_RUNTIME = Library(
    "ONNX Runtime",
    "onnxruntime",
    (
        *("onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-qnn"),
        "onnxruntime",
    ),
    "capi/build_and_package_info.py",
)
OPENCV = Library(
    "OpenCV",
    "cv2",
    (
        *("opencv-contrib-python", "opencv-python"),
        *("opencv-contrib-python-headless", "opencv-python-headless"),
    ),
    "version.py",
)
LIBRARIES = (ONNX_RUNTIME, OPENCV)

_HEADLESS = "-headless"


def build_in_use(library: Library) -> str | None:
    """Return the distribution whose files of ``library`` are in place; None if that cannot be told.

    The library is not imported.
    """
    spec = importlib.util.find_spec(library.package)
    if spec is None or spec.origin is None:
        return None
    try:
        text = (Path(spec.origin).parent / library.about).read_text(encoding="utf-8")
    except OSError:  # another build system than that of the wheels
        return None
    return _opencv_build(text) if library is OPENCV else _value(text, "package_name")


def describe_libraries() -> Iterator[str]:
    """Yield a line for each library: the build in use, its version, and what it lacks."""
    for library in LIBRARIES:
        builds = installed(library.builds)
        build = build_in_use(library) or next(iter(builds), None)
        if build is None:
            yield f"{library.name}: an unknown build"
            continue
        lacks = ["no windows"] * build.endswith(_HEADLESS) + ["no CUDA"] * (build == "onnxruntime")
        yield f"{library.name}: " + ", ".join([" ".join(filter(None, (build, builds.get(build)))), *lacks])


def conflicts(harmless: bool = True) -> Iterator[str]:
    """Yield a line for each library of which several builds are installed: which one is used, and a remedy.

    The remedy keeps the build that can do most, whichever is used now. A conflict is harmless where that one
    is in use and all are of one version, as after installing the extra ``mediapipe``.
    """
    for library in LIBRARIES:
        builds = installed(library.builds)
        if len(builds) < 2:
            continue
        kept, *others = builds
        used = build_in_use(library)
        if not harmless and used == kept and len(set(builds.values())) == 1:
            continue
        yield (
            f"{' and '.join(builds)} are installed together, and {used or 'it is unknown which'} is in use: "
            f"{swap_command(others, kept, builds[kept])}"
        )


def windows_command() -> str:
    """Return the commands that put an OpenCV with windows in the place of one without."""
    headless = installed([build for build in OPENCV.builds if build.endswith(_HEADLESS)])
    if not headless:
        return "install one that has"
    build, version = next(iter(headless.items()))
    return swap_command([*headless], build.removesuffix(_HEADLESS), version)


def _opencv_build(about: str) -> str | None:
    contrib, headless = _value(about, "contrib"), _value(about, "headless")
    if contrib is None or headless is None:
        return None
    return f"opencv{'-contrib' * (contrib == 'True')}-python{_HEADLESS * (headless == 'True')}"


def _value(text: str, name: str) -> str | None:
    found = re.search(rf"^{name} *= *['\"]?([\w.-]+)", text, re.MULTILINE)
    return found[1] if found else None
