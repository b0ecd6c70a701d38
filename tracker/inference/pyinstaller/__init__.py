"""Hook of PyInstaller, found by an entry point, and the files that it adds to a program."""

from __future__ import annotations

from pathlib import Path

from tracker.inference.weights import weights_dir

_PACKAGE = Path(__file__).resolve().parents[2]


def get_hook_dirs() -> list[str]:
    """Return the folder of ``hook-tracker.py``, as PyInstaller asks for."""
    return [str(Path(__file__).resolve().parent)]


def data_files() -> list[tuple[str, str]]:
    """Return each file that the package opens at run time, with its folder in the frozen program.

    These are the models with their manifest and licences, from the wheel or the clone, the assets, and the
    page and the descriptions of the server. Raises :class:`~tracker.errors.WeightsError` if there are no
    models.
    """
    folders = {weights_dir(): "tracker/_weights"}
    folders |= {_PACKAGE / place: f"tracker/{place}" for place in ("assets", "serve/page", "serve/api")}
    return [
        (str(path), place)
        for folder, place in folders.items()
        for path in sorted(folder.iterdir())
        if path.is_file()
    ]
