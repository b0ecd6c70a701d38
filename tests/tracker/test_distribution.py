"""Name of the distribution, and the commands in messages: they work as typed, and all come from one place."""

from __future__ import annotations

import json
import re
import shlex
import sys
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.cli import REPO, assert_one_line_error, run_code
from tracker import distribution
from tracker.distribution import DISTRIBUTION, clone_command, install_command, repair_command, swap_command

PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
CODE = ("tracker", "train", "export", "benchmarks")
STRANGER = re.compile(
    r"""\b(pip3?|pipx|uv)\b[^\n;&|]*\binstall\b[^\n;&|`]*[\s'"`]tracker(?![\w./-])|['"`]tracker\["""
)
"""A command that installs a distribution called ``tracker``."""


def names(lines: Sequence[str]) -> set[str]:
    return {Requirement(line).name for line in lines}


@pytest.fixture
def posix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")


def fake_metadata(
    monkeypatch: pytest.MonkeyPatch, installed: Sequence[str], requires: Sequence[str] | None = None
) -> None:
    """Let the distribution require ``requires``, and ``installed`` be all that is there."""
    lines = metadata.requires(DISTRIBUTION) if requires is None else list(requires)

    def version(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(metadata, "requires", lambda _: lines)


def test_the_name_is_that_of_the_project() -> None:
    assert PROJECT["name"] == DISTRIBUTION == "tracker68"
    assert set(PROJECT["scripts"]) == {"tracker"}


@pytest.mark.usefixtures("posix")
@pytest.mark.parametrize("extra", sorted(set(EXTRAS) - {"all", "dev"}))
def test_an_extra_is_installed_by_its_name(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_metadata(monkeypatch, sorted(names(PROJECT["dependencies"])))
    command = install_command(extra)
    assert command == f"pip install 'tracker68[{extra}]'"
    assert shlex.split(command) == ["pip", "install", f"tracker68[{extra}]"]


def test_windows_shells_get_quotes_that_they_take_off(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_metadata(monkeypatch, sorted(names(PROJECT["dependencies"])))
    monkeypatch.setattr(sys, "platform", "win32")
    assert install_command("osc", "plot") == 'pip install "tracker68[osc,plot]"'
    assert install_command() == "pip install tracker68"


REQUIRES = (
    "numpy>=1.26",
    "opencv-python<5,>=4.14",
    "onnxruntime-gpu>=1.31; python_version >= '3'",
    "onnxruntime>=1.31; python_version < '3'",
    "python-osc>=1.9; extra == 'osc'",
    "matplotlib>=3.9; extra == 'plot'",
)


@pytest.mark.usefixtures("posix")
def test_a_lean_install_stays_lean(monkeypatch: pytest.MonkeyPatch) -> None:
    lean = ["numpy", "opencv-python-headless", "onnxruntime"]
    fake_metadata(monkeypatch, lean, REQUIRES)
    assert install_command("osc") == "pip install 'python-osc>=1.9'"
    assert install_command("osc", "plot") == "pip install 'python-osc>=1.9' 'matplotlib>=3.9'"
    fake_metadata(monkeypatch, ["numpy", "opencv-python", "onnxruntime-gpu"], REQUIRES)
    assert install_command("osc") == "pip install 'tracker68[osc]'"


@pytest.mark.usefixtures("posix")
def test_without_metadata_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", unknown)
    assert install_command("osc") == "pip install 'tracker68[osc]'"


@pytest.mark.usefixtures("posix")
def test_models_are_put_back_from_where_they_came(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "my code" / "tracker"
    monkeypatch.setattr(distribution, "_PACKAGE", package)
    monkeypatch.setattr(distribution, "_address", lambda: None)
    assert repair_command() == "pip install --force-reinstall --no-deps tracker68"
    wheel = "file:///folder/tracker68-0.1.0-py3-none-any.whl"
    monkeypatch.setattr(distribution, "_address", lambda: wheel)
    assert repair_command() == f"pip install --force-reinstall --no-deps {wheel}"
    (package.parent / ".git").mkdir(parents=True)
    assert repair_command() == f"git -C '{package.parent}' restore weights"
    assert clone_command("train") == "pip install -e '.[train]'"


def test_the_address_is_that_which_pip_has_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    info = tmp_path / "tracker68-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: tracker68\nVersion: 9\n")
    monkeypatch.setattr(distribution, "_PACKAGE", tmp_path / "tracker")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert repair_command().endswith(" tracker68")
    (info / "direct_url.json").write_text(json.dumps({"url": "file:///a/b.whl", "archive_info": {}}))
    assert repair_command().endswith(" file:///a/b.whl")


@pytest.mark.usefixtures("posix")
def test_a_swap_removes_first_and_puts_back_the_shared_files() -> None:
    assert swap_command(["a", "b"], "c", "1.2") == (
        "pip uninstall --yes a b && pip install --force-reinstall --no-deps c==1.2"
    )


def test_the_extra_all_leaves_out_what_is_to_be_chosen_knowingly() -> None:
    alone = {"train", "dev", "mediapipe", "heic", "all", "docs"}
    wanted = set().union(*(names(lines) for extra, lines in EXTRAS.items() if extra not in alone))
    found = {"ray" if name == "tracker68" else name for name in names(EXTRAS["all"])}
    listed = {extra for line in EXTRAS["all"] for extra in Requirement(line).extras}
    found |= set().union(*(names(EXTRAS[extra]) for extra in listed))
    assert found == wanted


def test_the_lean_requirements_are_the_default_ones_but_for_two() -> None:
    swapped = {"opencv-python": "opencv-python-headless", "onnxruntime-gpu": "onnxruntime"}
    lines = (REPO / "lean.txt").read_text(encoding="utf-8").splitlines()
    lean = {Requirement(line) for line in lines if not line.startswith("#")}
    default = {Requirement(line.partition(";")[0]) for line in PROJECT["dependencies"]}
    for requirement in default:
        requirement.name = swapped.get(requirement.name, requirement.name)
    assert {str(requirement) for requirement in lean} == {str(requirement) for requirement in default}


def test_all_commands_for_pip_come_from_one_place() -> None:
    own = REPO / "tracker" / "distribution.py"
    others = [
        f"{path.relative_to(REPO)}: {line.strip()}"
        for folder in CODE
        for path in (REPO / folder).rglob("*.py")
        if path != own
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\b(pip3?|pipx|uv) (un|re)?install\b|\breinstall\b|\[[a-z]+\]['\"] *install", line)
    ]
    assert others == []


@pytest.mark.parametrize("folder", [".", *CODE, "tests", "docs", "examples", "weights"])
def test_nothing_installs_the_stranger_of_that_name(folder: str) -> None:
    kinds = ("*.py", "*.md", "*.txt", "*.toml", "*.yml", "*.ipynb")
    below = "" if folder == "." else "**/"
    paths = [path for kind in kinds for path in (REPO / folder).glob(below + kind)]
    found = [
        f"{path.relative_to(REPO)}: {line.strip()}"
        for path in paths
        if path != Path(__file__).resolve()
        for line in path.read_text(encoding="utf-8").splitlines()
        if STRANGER.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        (f"pip install '{'tracker'}[osc]'", True),
        (f'pip install "{"tracker"}[osc]"', True),
        ("pip install tracker", True),
        ("pip install --upgrade tracker --quiet", True),
        ("`pip install tracker`", True),
        ("needs 'tracker[plot]'", True),
        ("pip install 'tracker68[osc]'", False),
        ("pip install tracker68", False),
        ("to install it, run tracker info", False),
        ("pip install . && tracker --images tracker/assets/astronaut.jpg", False),
    ],
)
def test_the_pattern_knows_the_stranger(line: str, bad: bool) -> None:
    assert bool(STRANGER.search(line)) == bad


@pytest.mark.parametrize(("program", "library"), [("train", "PIL"), ("export", "onnx")])
def test_a_program_of_the_clone_names_the_command_for_its_libraries(program: str, library: str) -> None:
    code = (
        f"import runpy, sys; sys.modules[{library!r}] = None; sys.argv = [{program!r}, '--help'];"
        f"runpy.run_module({program!r}, run_name='__main__')"
    )
    done = run_code(code)
    assert_one_line_error(done, "is missing", ": pip install -e '.[train]'\n", program=program)


def test_a_mistake_of_ours_is_no_missing_library() -> None:
    code = (
        "import runpy, sys; sys.modules['train.cli.main'] = None;"
        "runpy.run_module('train', run_name='__main__')"
    )
    done = run_code(code)
    assert "Traceback" in done.stderr
    assert "pip install" not in done.stderr
