"""The notebook: committed without outputs, and every cell of it runs."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.cli import REPO, run_code

TOUR = REPO / "examples" / "tour.ipynb"

EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], 4)
NotebookClient(notebook, timeout=300, resources={"metadata": {"path": sys.argv[2]}}).execute()
nbformat.write(notebook, sys.argv[3])
"""


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_it_is_committed_without_outputs() -> None:
    codes = cells(TOUR, "code")
    assert len(codes) > 8
    assert [cell for cell in codes if cell["outputs"] or cell["execution_count"]] == []
    assert len(cells(TOUR, "markdown")) >= 8


def test_it_takes_public_names_only() -> None:
    for cell in cells(TOUR, "code"):
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tracker"):
                assert node.module == "tracker"
                assert {alias.name for alias in node.names} <= set(tracker.__all__)


@pytest.mark.slow
def test_it_runs_from_the_first_cell_to_the_last(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    for package in ("nbclient", "ipykernel", "pandas", "matplotlib"):
        pytest.importorskip(package)
    nbformat.validate(nbformat.read(TOUR, 4))
    done = run_code(EXECUTE, TOUR, tmp_path, tmp_path / "run.ipynb")
    assert done.exit_code == 0, done.stderr
    codes = cells(tmp_path / "run.ipynb", "code")
    assert [cell["execution_count"] for cell in codes] == list(range(1, len(codes) + 1))
    outputs = [output for cell in codes for output in cell["outputs"]]
    assert [output for output in outputs if output.get("name") == "stderr"] == []  # no warnings either
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    printed = "".join(part for output in outputs for part in output.get("text", []))
    assert "{1}" in printed  # one id in the whole film
    found = re.search(r"largest difference: (.*) degrees", printed)
    assert found
    assert float(found[1]) < 2
    assert "75 frames of (400, 300) pixels" in printed
