"""The files for contributors: what they name exists, and what they promise works."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import tracker
from tests.cli import REPO
from tests.results import three_measured_faces

yaml = pytest.importorskip("yaml")

FORMS = sorted((REPO / ".github/ISSUE_TEMPLATE").glob("*.yml"))
TEXTS = (
    *("CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CITATION.cff", ".pre-commit-config.yaml"),
    *(".github/PULL_REQUEST_TEMPLATE.md", *(path.relative_to(REPO).as_posix() for path in FORMS)),
)
CONTRIBUTING = (REPO / "CONTRIBUTING.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ELEMENTS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


def load_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def load_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tasks() -> set[str]:
    """Return the names of the tasks in the noxfile, which needs no nox for that."""
    tree = ast.parse((REPO / "noxfile.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    marks = {f.name: [ast.unparse(mark) for mark in f.decorator_list] for f in functions}
    return {name for name, of in marks.items() if any(re.match(r"task$|nox\.session\b", mark) for mark in of)}


@pytest.mark.parametrize(
    "path", [path for path in FORMS if path.stem != "config"], ids=lambda path: path.stem
)
def test_an_issue_form_has_what_the_host_requires(path: Path) -> None:
    form = load_yaml(path)
    assert set(form) <= {"name", "description", "title", "labels", "assignees", "body"}
    assert form["name"].strip()
    assert form["description"].strip()
    questions = [element for element in form["body"] if element["type"] != "markdown"]
    assert questions
    ids = [element["id"] for element in questions]
    assert len(set(ids)) == len(ids)
    for element in form["body"]:
        assert element["type"] in ELEMENTS
        assert set(element) <= {"type", "id", "attributes", "validations"}
        attributes = element["attributes"]
        assert attributes["value" if element["type"] == "markdown" else "label"].strip()
        if element["type"] in ("dropdown", "checkboxes"):
            assert attributes["options"]
        assert set(element.get("validations", {})) <= {"required"}


def test_a_bug_report_asks_for_the_command_and_for_tracker_info() -> None:
    form = load_yaml(REPO / ".github/ISSUE_TEMPLATE/bug.yml")
    required = [e for e in form["body"] if e.get("validations", {}).get("required")]
    assert {"command", "happened", "expected", "info"} <= {element["id"] for element in required}
    assert any("`tracker info`" in element["attributes"]["label"] for element in required)
    assert "SECURITY.md" in form["body"][0]["attributes"]["value"]


def test_the_citation_is_of_this_version() -> None:
    citation = load_yaml(REPO / "CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert str(citation["version"]) == PROJECT["version"] == tracker.__version__
    assert citation["license"] in PROJECT["license"].split(" AND ")
    for reference in (citation, *citation["references"]):
        assert reference["authors"]
        assert reference["title"]
        assert reference is citation or isinstance(reference["year"], int)


def test_the_changelog_keeps_its_form() -> None:
    text = (REPO / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert releases[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", release) for release in releases[1:])
    for release in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.+)$", release, re.MULTILINE)
        assert len(set(kinds)) == len(kinds) > 0, "two sections of a kind"
        assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    entries = [line for line in text.splitlines() if line.startswith("- ")]
    assert len(set(entries)) == len(entries)


def test_the_tasks_that_are_named_exist() -> None:
    named = set(re.findall(r"nox -s ([\w-]+)", CONTRIBUTING))
    assert named
    assert named <= tasks()


def test_the_tasks_run_what_ci_runs() -> None:
    pytest.importorskip("nox")
    noxfile = load_module(REPO / "noxfile.py")
    for mark in ("install", "test"):
        script = [".ci/block", mark]
        if os.name == "posix":
            block = subprocess.run(script, cwd=REPO, check=True, capture_output=True, text=True).stdout
            assert noxfile.readme_commands(mark) == [shlex.split(line) for line in block.splitlines()]
    words = [
        word for mark in ("install", "test") for command in noxfile.readme_commands(mark) for word in command
    ]
    assert not re.search(r"[|&;<>$`*]", " ".join(words)), "a task runs its commands without a shell"
    with pytest.raises(LookupError, match="ci:lost"):
        noxfile.readme_commands("lost")


def test_hooks_check_what_ci_checks_without_a_network() -> None:
    (repository,) = load_yaml(REPO / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    entries = [hook["entry"] for hook in repository["hooks"]]
    block = re.search(
        r"<!-- ci:test -->\n```sh\n(.*?)```", (REPO / "README.md").read_text("utf-8"), re.DOTALL
    )
    assert block
    checks = [line for line in block[1].splitlines() if not line.startswith("pytest")]
    for check in checks:
        program, *action = [word for word in check.split() if word not in (".", "--check")]
        assert any(entry.split()[: 1 + len(action)] == [program, *action] for entry in entries), check
    tools = {re.split(r"[>=<]", requirement)[0] for requirement in PROJECT["optional-dependencies"]["dev"]}
    assert {"ruff", "mypy", "import-linter", "pre-commit", "nox"} <= tools


def named_paths(text: str) -> set[str]:
    """Return the paths of files that ``text`` names in backticks or as targets of links."""
    quoted = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", text)
    quoted += re.findall(r"(?:^| )(tests/[\w./]+)", " ".join(re.findall(r"`([^`\n]+)`", text)))
    paths = {
        word for word in quoted if "/" in word or re.search(r"\.(md|py|toml|cff|yml|yaml|json|txt)$", word)
    }
    links = {target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text)}
    return {path for path in paths | links if path and "NAME" not in path and "mouths" not in path}


@pytest.mark.parametrize("name", TEXTS)
def test_files_that_are_named_exist(name: str) -> None:
    known_elsewhere = {"../shared/data"}
    text = (REPO / name).read_text(encoding="utf-8")
    assert [path for path in named_paths(text) - known_elsewhere if not (REPO / path).exists()] == []


def test_the_test_that_is_named_exists() -> None:
    nodes = re.findall(r"pytest ([\w/]+\.py)::(\w+)", CONTRIBUTING)
    assert nodes
    for path, function in nodes:
        assert f"def {function}(" in (REPO / path).read_text(encoding="utf-8")


def test_recipes_name_what_is_in_the_files() -> None:
    places = re.findall(r"`(\w+)`(?:[^`.;]{0,24}) (?:of|in)\s+`([\w/]+\.py)`", CONTRIBUTING)
    assert len(places) >= 8
    for name, path in places:
        assert re.search(rf"\b{name}\b", (REPO / path).read_text(encoding="utf-8")), f"{name} in {path}"


def test_the_output_of_the_recipe_works(tmp_path: Path) -> None:
    (code,) = re.findall(r"^   ```python\n(.*?)^   ```", CONTRIBUTING, re.MULTILINE | re.DOTALL)
    module = tmp_path / "mouths.py"
    module.write_text(re.sub(r"^   ", "", code, flags=re.MULTILINE), encoding="utf-8")
    with load_module(module).MouthSink(tmp_path / "mouths.txt") as sink:
        sink.write(three_measured_faces())
    assert (tmp_path / "mouths.txt").read_text() == "0.400 1 0.050\n0.400 2 -\n0.400 3 -\n"
    with pytest.raises(tracker.MisuseError, match="closed"):
        sink.write(three_measured_faces())


@pytest.mark.parametrize("name", TEXTS)
def test_no_address_is_invented(name: str) -> None:
    text = (REPO / name).read_text(encoding="utf-8")
    assert not re.search(r"https?://|\bwww\.|[\w.]+@[\w-]+\.\w", text)


def guard(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPO / ".ci/data_guard.py"), *names]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_the_repository_holds_only_the_data_that_is_listed() -> None:
    if not (REPO / ".git").exists():
        pytest.skip("no git here")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, check=True, capture_output=True, text=True)
    names = [name for name in listed.stdout.split("\0") if name and (REPO / name).exists()]
    assert guard(REPO, *names).stderr == ""


@pytest.mark.parametrize(
    ("name", "kilobytes", "words"),
    [
        ("face.JPG", 1, "no line of"),
        ("tests/data/face.png", 1, "no line of"),
        ("tracker/assets/astronaut.jpg/face.jpg", 1, "no line of"),
        ("docs/points.pts", 1, "no line of"),
        ("weights/archive.zip", 1, "no line of"),
        ("docs/curve.png", 501, "501 kB"),
        ("tracker/table.py", 501, "500 are allowed"),
        ("docs/curve.png", 20, None),
        ("weights/other.onnx", 20_000, None),
        ("tracker/module.py", 30, None),
    ],
)
def test_other_data_and_large_files_are_refused(
    tmp_path: Path, name: str, kilobytes: int, words: str | None
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(kilobytes * 1000)
    run = guard(tmp_path, name)
    assert run.returncode == (words is not None), run.stderr
    if words:
        assert run.stderr.startswith(f"{name}: ")
        assert words in run.stderr
        assert run.stderr.count("\n") == 1
