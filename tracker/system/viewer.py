"""The system's viewer: of files, what a double click would open; of addresses, the browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_WAIT_S = 5.0
"""Time in which an opener says that it cannot; it goes on by itself if it takes longer."""


def open_in_viewer(what: Path | str) -> str | None:
    """Open ``what`` in the system's viewer: the path of a file or folder, or an address as text.

    Returns None once the viewer was asked, or one line why it was not: without a screen, over SSH, without a
    viewer, or if that fails.
    """
    if why_not := _no_screen():
        return why_not
    target = str(what.absolute()) if isinstance(what, Path) else what
    try:
        if sys.platform == "win32":
            os.startfile(target)
            return None
        return _run_opener("open" if sys.platform == "darwin" else "xdg-open", target)
    except OSError as error:
        return f"the system's viewer did not start: {error.strerror or error}"


def _no_screen() -> str | None:
    if any(name in os.environ for name in ("SSH_CONNECTION", "SSH_TTY")):
        return "this is a session over SSH, whose screen is elsewhere"
    on_desktop = sys.platform in ("win32", "darwin")
    if not on_desktop and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no screen (DISPLAY is not set)"
    return None


def _run_opener(name: str, target: str) -> str | None:
    program = shutil.which(name)
    if program is None:
        return f"there is no viewer ({name} is not installed)"
    quiet = subprocess.DEVNULL
    opener = subprocess.Popen(
        [program, target], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )
    try:
        code = opener.wait(_WAIT_S)
    except subprocess.TimeoutExpired:
        opener.returncode = 0  # it shows the file itself, and may outlive this process
        return None
    return f"{name} could not open it (exit code {code})" if code else None
