"""The examples under test: the very files, run as programs in this process."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli import REPO, CliResult, run_main

EXAMPLES = sorted(path.stem for path in (REPO / "examples").glob("*.py") if path.stem != "__init__")
FOLLOWING = [name for name in EXAMPLES if name != "csv_plot"]
"""Examples that read a camera or a film."""

NEEDS = {"puppet_osc": ("pythonosc",), "csv_plot": ("pandas", "matplotlib")}
"""Packages that an example imports besides those that the tracker needs."""


def run_example(name: str, *args: object, cwd: Path | None = None, without: Sequence[str] = ()) -> CliResult:
    """Run ``python examples/NAME.py ARGS``, as if the packages ``without`` were not installed.

    The test is skipped where a package that the example needs, and that is not among them, is missing.
    """
    for package in set(NEEDS.get(name, ())) - set(without):
        pytest.importorskip(package, exc_type=ImportError)
    path = REPO / "examples" / f"{name}.py"
    # None is how the import system notes that a module is absent. What the package has loaded is hidden, too.
    loaded = [module for module in sys.modules if module.partition(".")[0] in without]
    with pytest.MonkeyPatch.context() as patch:
        for module in (*without, *loaded):
            patch.setitem(sys.modules, module, None)
        return run_main(
            lambda: runpy.run_path(str(path), run_name="__main__"), *args, package="examples", cwd=cwd
        )
