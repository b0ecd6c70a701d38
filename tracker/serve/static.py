"""Files of the page, read once: no request ever names a path on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tracker.distribution import repair_command
from tracker.errors import ServeError

PAGE = Path(__file__).parent / "page"
"""Folder of the page."""

INDEX = "index.html"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True)
class StaticFile:
    """Content of a file of the page, and its media type."""

    data: bytes
    media_type: str


def load_page(folder: Path = PAGE) -> dict[str, StaticFile]:
    """Return the files in ``folder`` by name.

    Raises :class:`~tracker.errors.ServeError` if there is no page.
    """
    try:
        files = {
            path.name: StaticFile(path.read_bytes(), _TYPES[path.suffix])
            for path in sorted(folder.iterdir())
            if path.suffix in _TYPES
        }
    except OSError as error:
        raise ServeError(
            f"cannot read the page in {folder} ({error.strerror}): {repair_command()}"
        ) from error
    if INDEX not in files:
        raise ServeError(f"{folder} has no {INDEX}: {repair_command()}")
    return files
