"""The hook for PyInstaller: where it lies, and the files that it adds, without PyInstaller."""

from __future__ import annotations

import json
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.cli import REPO
from tracker.inference.pyinstaller import data_files, get_hook_dirs
from tracker.inference.weights import weights_dir


def _manifest_files(value: Any) -> set[str]:
    """Return the values of all ``file`` keys, variants included."""
    if not isinstance(value, dict):
        return set()
    own = {value["file"]} if isinstance(value.get("file"), str) else set()
    return own.union(*map(_manifest_files, value.values()))


def test_models_and_assets_go_where_a_wheel_has_them() -> None:
    placed = {f"{folder}/{Path(source).name}" for source, folder in data_files()}
    manifest = json.loads((weights_dir() / "manifest.json").read_text())
    models = {f"tracker/_weights/{name}" for name in _manifest_files(manifest)}
    assert len(models) > 5
    assets = {f"tracker/assets/{path.name}" for path in (REPO / "tracker" / "assets").iterdir()}
    assert models | assets | {"tracker/_weights/manifest.json"} <= placed
    assert all(Path(source).is_file() for source, _ in data_files())


def test_every_file_of_the_package_that_is_no_module_is_added() -> None:
    rest = {path for path in (REPO / "tracker").rglob("*") if path.is_file() and path.name != "py.typed"}
    others = {path for path in rest if path.suffix not in (".py", ".pyc")}
    if (REPO / "tracker" / "_weights").is_dir():
        others -= set((REPO / "tracker" / "_weights").iterdir())
    assert others <= {Path(source) for source, _ in data_files()}


def test_the_entry_point_names_the_folder_of_the_hook() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    module, _, function = project["entry-points"]["pyinstaller40"]["hook-dirs"].partition(":")
    folders = getattr(import_module(module), function)()
    assert folders == get_hook_dirs()
    assert [(Path(folder) / "hook-tracker.py").is_file() for folder in folders] == [True]
