"""Start of the server: its token and live source, and what is said when it is ready."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

import typer

from tracker.cli.messages import say
from tracker.errors import MisuseError, ServeError
from tracker.inference.detection.mediapipe import NOTICES
from tracker.serve.guard import host_name
from tracker.serve.live_source import LiveCamera, LiveFilm, LiveSource
from tracker.serve.server import Listener, run_server
from tracker.serve.settings import LEAST_TOKEN, Access, ServerSettings
from tracker.sources.camera.mode import CameraMode
from tracker.system.libraries import conflicts
from tracker.system.signals import raise_swallowed
from tracker.system.terminal import printable
from tracker.system.viewer import open_in_viewer

_MOST_TOKEN = 1 << 12  # bytes of the file


def read_token(path: Path) -> str:
    """Return the token in the first line of the file ``path``.

    Raises :class:`~tracker.errors.ServeError` if it cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            first = file.readline(_MOST_TOKEN).decode("ascii").strip()
        Access(token=first)
    except OSError as error:
        raise ServeError(f"cannot read {path}: {error.strerror or error}") from error
    except (MisuseError, UnicodeDecodeError) as error:
        raise ServeError(
            f"{path} holds no token: write one line of at least {LEAST_TOKEN} letters and digits, such as "
            "`openssl rand -hex 24` prints"
        ) from error
    return first


def read_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the host names that browsers will send for ``names``, which may have a port or other scripts.

    Raises ``typer.BadParameter`` for what is none.
    """
    return tuple(_read_name(name) for name in names)


def _read_name(name: str) -> str:
    try:
        found = host_name(name.encode("idna").decode("ascii"))
    except UnicodeError:
        found = ""
    if not found:
        raise typer.BadParameter(
            f"--allow-host takes a host name such as robot.local, got {printable(name)!r}"
        )
    return found


def open_live(camera: str | None, mode: CameraMode, video: Path | None) -> LiveSource | None:
    """Open the server's own camera or film, None without one; raises ``SourceError`` if it does not open."""
    if camera is not None:
        source: LiveSource | None = LiveCamera(camera, mode, say)
    else:
        source = LiveFilm(video) if video else None
    raise_swallowed()
    return source


def start_server(
    listener: Listener, settings: ServerSettings, source: LiveSource | None, opens: bool, quiet: bool
) -> None:
    """Serve until Ctrl-C; the addresses of the page go to standard output, as soon as it answers."""
    for line in conflicts(harmless=False):
        say(line)
    if settings.tracker.detector == "mediapipe" and importlib.util.find_spec("mediapipe"):
        for notice in NOTICES:
            say(notice)

    def announce() -> None:
        typer.echo("\n".join(listener.addresses))
        if not quiet:
            say("Ctrl-C ends the server")
            if not (listener.is_local or listener.access.certificate):
                say(
                    "without --certificate anyone on the way can read pictures and token, and browsers give "
                    "their camera to pages of this computer only"
                )
        if opens:
            Thread(target=_open_page, args=(listener.addresses[0],), daemon=True).start()

    run_server(listener, settings, source, say, announce)


def _open_page(address: str) -> None:
    if why_not := open_in_viewer(address):
        say(f"the page is not opened: {why_not}")
