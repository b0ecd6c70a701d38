"""The wheel and the sdist: files and metadata, the same bytes each time, and a run in an empty folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import cv2
import pytest

from tests.cli import REPO, CliResult, run_process
from tests.faces import astronaut
from tracker.inference.weights import CLONE_ONLY, load_manifest

MODELS = load_manifest(REPO / "weights")
BIG = 100_000
"""Bytes of a file from which on the reproducible builds take a stand-in: they compare files, not models."""

pytestmark = pytest.mark.slow


def build(project: Path, folder: Path, *targets: str, **environment: str) -> list[Path]:
    """Build ``targets`` of the ``project`` into ``folder`` and return the files in it."""
    pytest.importorskip("hatchling")
    pytest.importorskip("hatch_fancy_pypi_readme")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    for target in targets:
        command += ["-t", target]
    env = {**os.environ, **environment}
    subprocess.run(command, cwd=project, env=env, check=True, capture_output=True, timeout=120)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (path,) = build(REPO, tmp_path_factory.mktemp("wheel"), "wheel")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def metadata(wheel: Path) -> Message:
    text = zipfile.ZipFile(wheel).read("tracker68-0.1.0.dist-info/METADATA").decode()
    return Parser().parsestr(text)


def run(installed: Path, cwd: Path, *arguments: str) -> CliResult:
    """Run the unpacked wheel's command."""
    # An editable install puts the repository on sys.path; the unpacked wheel must come first.
    code = f"import sys; sys.path.insert(0, {str(installed)!r}); from tracker.cli.main import main; main()"
    return run_process([sys.executable, "-c", code, *arguments], cwd)


def test_the_wheel_contains_the_package_and_what_it_reads_only(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0] for name in names} == {"tracker", "tracker68-0.1.0.dist-info"}
    package = {name for name in names if name.startswith("tracker/")}
    code = {path.relative_to(REPO).as_posix() for path in (REPO / "tracker").rglob("*.py")}
    assets = {f"tracker/assets/{path.name}" for path in (REPO / "tracker" / "assets").iterdir()}
    served = {
        path.relative_to(REPO).as_posix()
        for folder in ("api", "page")
        for path in (REPO / "tracker" / "serve" / folder).iterdir()
    }
    weights = {name for name in package if name.startswith("tracker/_weights/")}
    assert package - weights == code | assets | served | {"tracker/py.typed"}


def test_the_wheel_carries_the_models_that_run_and_their_cards(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {Path(name).name for name in names if name.startswith("tracker/_weights/")}
    kept = [model for model in MODELS.values() if model.kind not in CLONE_ONLY]
    files = {file.path.name for model in kept for file in (model, *model.variants.values())}
    cards = {f"{model.name}.md" for model in kept}
    assert shipped == files | cards | {"manifest.json", "LICENSE-APACHE-2.0.txt"}
    assert {model.name for model in kept} == {"blazeface-short", "resnet18", "unet", "unet-light"}


def test_the_metadata_names_distribution_and_licences(wheel: Path) -> None:
    found = metadata(wheel)
    assert found["Name"] == "tracker68"
    assert found["License-Expression"] == "MIT AND Apache-2.0 AND LicenseRef-Research-Use-Weights"
    files = zipfile.ZipFile(wheel).namelist()
    for licence in found.get_all("License-File", []):
        assert f"tracker68-0.1.0.dist-info/licenses/{licence}" in files
    assert {"all", "osc", "plot", "mediapipe"} <= set(found.get_all("Provides-Extra", []))


def test_the_page_of_the_index_refers_to_no_file_beside_it(wheel: Path) -> None:
    found = metadata(wheel)
    text = found.get_payload()
    assert isinstance(text, str)
    assert found["Description-Content-Type"] == "text/markdown"
    assert "<!--" not in text
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert re.findall(r"\]\((?!https?:|#)[^)]*\)|<img", prose) == []
    assert "![" not in re.sub(r"!\[[^\]]*\]\(https?:", "", prose)
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```.*?```", readme, re.DOTALL)
    assert blocks
    assert re.findall(r"```.*?```", text, re.DOTALL) == blocks


def copied_project(folder: Path, mode: int, time: int) -> Path:
    """Copy what is built, with stand-ins for the large models, under ``mode`` and with ``time`` of change."""
    before = os.umask(0o777 - mode)
    try:
        folder.mkdir()
        for name in ("tracker", "weights"):
            shutil.copytree(REPO / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "lean.txt", ".gitignore"):
            shutil.copyfile(REPO / name, folder / name)
        for path in folder.rglob("*"):
            if path.is_file():
                if path.stat().st_size > BIG:
                    path.write_bytes(path.name.encode())
                path.chmod(mode)
            os.utime(path, (time, time))
    finally:
        os.umask(before)
    return folder


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    epoch = {"SOURCE_DATE_EPOCH": "1700000000"}
    one = copied_project(tmp_path / "one", 0o644, 1_600_000_000)
    other = copied_project(tmp_path / "the other", 0o664, 1_750_000_000)
    first = build(one, tmp_path / "dist1", "sdist", "wheel", **epoch)
    second = build(other, tmp_path / "dist2", "sdist", "wheel", **epoch)
    assert [path.name for path in first] == ["tracker68-0.1.0-py3-none-any.whl", "tracker68-0.1.0.tar.gz"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_sdist_builds_the_same_wheel(tmp_path: Path) -> None:
    project = copied_project(tmp_path / "one", 0o644, 1_600_000_000)
    epoch = {"SOURCE_DATE_EPOCH": "1700000000"}
    wheel, sdist = build(project, tmp_path / "dist", "sdist", "wheel", **epoch)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (again,) = build(tmp_path / "tracker68-0.1.0", tmp_path / "again", "wheel", **epoch)
    assert again.read_bytes() == wheel.read_bytes()


def test_the_wheel_runs_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), astronaut())
    done = run(installed, tmp_path, "--images", ".", "--json", "o.jsonl")
    assert done.exit_code == 0, done.stderr
    assert len(json.loads((tmp_path / "o.jsonl").read_text())["faces"]) == 1


def test_info_of_a_wheel_misses_nothing(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "info")
    assert done.exit_code == 0, done.stderr
    assert "resnet18 int8" in done.stdout
    for word in ("missing", "damaged", "study", "nose", "tflite"):
        assert word not in done.stdout


def test_a_command_that_needs_a_clone_says_so_in_one_line(installed: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), astronaut())
    done = run(installed, tmp_path, "--images", ".", "--json", "o.jsonl", "--detector", "mediapipe")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == (
        "tracker: blazeface-short.tflite comes with a clone of the repository only: "
        "there, pip install -e '.[mediapipe]'"
    )
    assert "Traceback" not in done.stderr
