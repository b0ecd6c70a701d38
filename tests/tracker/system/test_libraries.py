"""Builds of OpenCV and ONNX Runtime, on environments that are faked as files: nothing is installed."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cache import Clips
from tests.cli import REPO, run_cli, run_process
from tracker.distribution import installed
from tracker.system import libraries, machine
from tracker.system.libraries import LIBRARIES, ONNX_RUNTIME, OPENCV, build_in_use

TELL = """
import json, sys
sys.path[:0] = sys.argv[1:3]
from tracker.system.libraries import build_in_use, conflicts, describe_libraries, windows_command, LIBRARIES
print(json.dumps({
    "used": [build_in_use(library) for library in LIBRARIES],
    "described": list(describe_libraries()),
    "conflicts": list(conflicts()),
    "harmful": list(conflicts(harmless=False)),
    "windows": windows_command(),
    "heavy": sorted({"cv2", "onnxruntime"} & set(sys.modules)),
}))
"""
RUNTIME_FILE = "package_name = '{}'\n__version__ = '1.31.1'\n"
OPENCV_FILE = 'opencv_version = "4.14.0.94"\ncontrib = {}\nheadless = {}\nrolling = False\n'


def environment(folder: Path, builds: Mapping[str, str], runtime: str, opencv: str) -> Path:
    """Fake installed ``builds``, by version, with the files that the build itself writes at last."""
    for name, version in builds.items():
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for path, text in {
        "onnxruntime/capi/build_and_package_info.py": runtime,
        "cv2/version.py": opencv,
    }.items():
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(text)
    for package in ("onnxruntime", "cv2"):
        (folder / package / "__init__.py").write_text("raise SystemExit('imported')\n")
    return folder


def tell(folder: Path) -> dict[str, Any]:
    """Return what is told in an environment of the packages in ``folder`` alone."""
    done = run_process([sys.executable, "-S", "-c", TELL, str(REPO), str(folder)], env={"PYTHONPATH": ""})
    assert done.exit_code == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["heavy"] == []
    return told


@pytest.mark.parametrize(
    ("contrib", "headless", "name"),
    [
        (False, False, "opencv-python"),
        (False, True, "opencv-python-headless"),
        (True, False, "opencv-contrib-python"),
        (True, True, "opencv-contrib-python-headless"),
    ],
)
def test_one_build_of_each_is_named_without_an_import(
    tmp_path: Path, contrib: bool, headless: bool, name: str
) -> None:
    opencv = OPENCV_FILE.format(contrib, headless)
    builds = {name: "4.14.0.94", "onnxruntime": "1.31.1"}
    told = tell(environment(tmp_path, builds, RUNTIME_FILE.format("onnxruntime"), opencv))
    assert told["used"] == ["onnxruntime", name]
    assert told["described"] == [
        "ONNX Runtime: onnxruntime 1.31.1, no CUDA",
        f"OpenCV: {name} 4.14.0.94" + ", no windows" * headless,
    ]
    assert told["conflicts"] == []


@pytest.mark.parametrize("last", ["onnxruntime", "onnxruntime-gpu"])
def test_of_two_runtimes_the_one_installed_last_is_in_use_and_the_able_one_is_kept(
    tmp_path: Path, last: str
) -> None:
    builds = {"onnxruntime": "1.32.0", "onnxruntime-gpu": "1.31.1", "opencv-python": "4.14.0.94"}
    folder = environment(tmp_path, builds, RUNTIME_FILE.format(last), OPENCV_FILE.format(False, False))
    (line,) = tell(folder)["conflicts"]
    assert line == (
        f"onnxruntime-gpu and onnxruntime are installed together, and {last} is in use: pip uninstall --yes "
        "onnxruntime && pip install --force-reinstall --no-deps onnxruntime-gpu==1.31.1"
    )


@pytest.mark.parametrize(
    ("met", "kept"),
    [
        (("opencv-python", "opencv-python-headless"), "opencv-python"),
        (("opencv-python", "opencv-contrib-python"), "opencv-contrib-python"),
        (("opencv-python-headless", "opencv-contrib-python-headless"), "opencv-contrib-python-headless"),
        (("opencv-contrib-python", "opencv-python", "opencv-python-headless"), "opencv-contrib-python"),
    ],
)
def test_of_opencvs_the_one_that_can_do_most_is_kept(tmp_path: Path, met: tuple[str, ...], kept: str) -> None:
    builds = dict.fromkeys(met, "4.14.0.94")
    told = tell(environment(tmp_path, builds, RUNTIME_FILE.format("x"), OPENCV_FILE.format(False, True)))
    (line,) = told["conflicts"]
    assert "and opencv-python-headless is in use: " in line
    removal, _, reinstall = line.partition(" in use: ")[2].partition(" && ")
    assert set(shlex.split(removal)[3:]) == set(met) - {kept}
    assert shlex.split(reinstall)[-1] == f"{kept}==4.14.0.94"


@pytest.mark.parametrize(
    ("versions", "contrib", "harmful"),
    [
        (("4.14.0.94", "4.14.0.94"), True, False),
        (("4.14.0.94", "4.14.0.94"), False, True),
        (("4.14.0.94", "4.13.0.90"), True, True),
    ],
)
def test_a_run_is_silent_where_nothing_is_lost(
    tmp_path: Path, versions: tuple[str, str], contrib: bool, harmful: bool
) -> None:
    builds = dict(zip(("opencv-contrib-python", "opencv-python"), versions, strict=True))
    told = tell(environment(tmp_path, builds, "", OPENCV_FILE.format(contrib, False)))
    assert len(told["conflicts"]) == 1
    assert told["harmful"] == (told["conflicts"] if harmful else [])


def test_windows_come_with_the_same_opencv_of_the_same_version(tmp_path: Path) -> None:
    builds = {"opencv-contrib-python-headless": "4.14.0.94"}
    told = tell(environment(tmp_path, builds, "", OPENCV_FILE.format(True, True)))
    assert told["windows"] == (
        "pip uninstall --yes opencv-contrib-python-headless && "
        "pip install --force-reinstall --no-deps opencv-contrib-python==4.14.0.94"
    )


def test_builds_of_another_system_are_called_unknown(tmp_path: Path) -> None:
    told = tell(environment(tmp_path, {}, "nothing = 1\n", "\n"))
    assert told["described"] == ["ONNX Runtime: an unknown build", "OpenCV: an unknown build"]
    assert told["conflicts"] == []
    told = tell(tmp_path / "empty")
    assert told["described"] == ["ONNX Runtime: an unknown build", "OpenCV: an unknown build"]


def test_the_build_of_this_environment_is_one_that_is_installed() -> None:
    for library in LIBRARIES:
        builds = installed(library.builds)
        if builds:
            assert build_in_use(library) in builds


def test_the_line_says_so_where_it_is_unknown_which_build_won(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "installed", lambda names: dict.fromkeys(names, "1.0"))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    lines = list(libraries.conflicts(harmless=False))
    assert len(lines) == len(LIBRARIES)
    for line, library in zip(lines, LIBRARIES, strict=True):
        assert "it is unknown which is in use: pip uninstall --yes" in line
        assert line.endswith(f" {library.builds[0]}==1.0")


MET = "onnxruntime-gpu and onnxruntime are installed together"


def two(harmless: bool = True) -> Iterator[str]:
    assert not harmless
    yield MET


def test_a_run_says_once_that_builds_have_met(
    clips: Clips, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tracker.cli.start.conflicts", two)
    done = run_cli("--video", clips.faces(3), "--no-window", "--json", tmp_path / "o.jsonl")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count(f"tracker: {MET}\n") == 1


@pytest.mark.slow
def test_a_batch_says_once_that_builds_have_met(
    clips: Clips, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tracker.cli.start_batch.conflicts", two)
    done = run_cli("batch", clips.faces(3), "--output", tmp_path / "results", "--jobs", 1)
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count(f"tracker: {MET}\n") == 1


def test_info_tells_the_builds_and_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tracker.reports.info.describe_libraries", lambda: ["OpenCV: a 1", "ONNX Runtime: b 2"]
    )
    monkeypatch.setattr("tracker.reports.info.conflicts", lambda: ["b and c are installed together"])
    done = run_cli("info")
    section = done.stdout.partition("\nlibraries\n")[2].partition("\nversions\n")[0]
    assert section.splitlines() == [
        "  OpenCV: a 1",
        "  ONNX Runtime: b 2",
        "  b and c are installed together",
    ]


def test_every_build_of_both_libraries_is_in_the_versions() -> None:
    assert {*OPENCV.builds, *ONNX_RUNTIME.builds} <= set(machine.LIBRARIES)
