"""The demo: its inputs, the runs over them, and a list of what was made."""

from __future__ import annotations

import json
import shlex
from contextlib import ExitStack
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import typer

from tracker.cli.command import Command
from tracker.cli.start import start_images, start_video
from tracker.errors import SinkError
from tracker.reports.bench.clip import FPS, write_clip
from tracker.runs.targets import OutputTargets
from tracker.sources.trim import WHOLE
from tracker.system.files import Lock, check_output, guarded_write, make_folder, write_whole
from tracker.system.terminal import printable
from tracker.tracking.opening import TrackerOptions

PICTURE, MARKED_PICTURE = "portrait.jpg", "portrait-tracked.png"
CLIP, MARKED_CLIP, JSON, CSV = "clip.mp4", "clip-tracked.mp4", "clip.jsonl", "clip.csv"
_CLIP_FRAMES, _CLIP_SIZE = 3 * FPS, (640, 480)

MADE = {
    PICTURE: "the shipped portrait",
    MARKED_PICTURE: "with its landmarks",
    CLIP: "a clip of it in motion",
    MARKED_CLIP: "tracked, frame by frame",
    JSON: "points and measures, one line a frame",
    CSV: "the same as a table, one row a face",
}
"""Files of the demo, each with what it is."""

RECORD = ".tracker-demo.json"
"""File beside them with the hash of each, by which a later demo knows them again."""


def run_demo(folder: Path, quiet: bool = False) -> None:
    """Make the files of the demo in ``folder`` and print what they are, unless it is ``quiet``.

    Raises :class:`~tracker.errors.SinkError` if something is there that no demo made, and nothing is written.
    """
    make_folder(folder, "--output a folder", parents=True)
    with Lock(folder):
        _check_own(folder)
        try:
            _track_picture(folder, quiet)
            _track_clip(folder, quiet)
        finally:
            _record(folder)
    if not quiet:
        typer.echo("\n".join(_summary(folder)))


def _track_picture(folder: Path, quiet: bool) -> None:
    path = folder / PICTURE
    data = files("tracker").joinpath("assets/astronaut.jpg").read_bytes()
    with guarded_write(path):
        write_whole(path, data)
    with ExitStack() as stack:
        start_images(_command(stack, OutputTargets(output=folder / MARKED_PICTURE), quiet), [str(path)])


def _track_clip(folder: Path, quiet: bool) -> None:
    path = folder / CLIP
    write_clip(path, _CLIP_FRAMES, _CLIP_SIZE)
    targets = OutputTargets(output=folder / MARKED_CLIP, json=folder / JSON, csv=folder / CSV)
    with ExitStack() as stack:
        start_video(_command(stack, targets, quiet), path, WHOLE, None)


def _command(stack: ExitStack, targets: OutputTargets, quiet: bool) -> Command:
    options = TrackerOptions()
    return Command(stack, options, targets, anonymise=None, shown=False, resume=False, quiet=quiet)


def _check_own(folder: Path) -> None:
    """Refuse a folder in which a file of the demo's would replace one that no demo made."""
    try:
        known = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    for name in (*MADE, RECORD):
        path = folder / name
        check_output(path)
        own = bool(known) if name == RECORD else isinstance(known, dict) and known.get(name) == _hash(path)
        if path.exists() and not own:
            raise SinkError(f"{path} is there, and no demo made it: give --output another folder")


def _record(folder: Path) -> None:
    """Write down what is there now, also after a run that was interrupted."""
    hashes = {name: _hash(folder / name) for name in MADE if (folder / name).is_file()}
    path = folder / RECORD
    with guarded_write(path):
        write_whole(path, (json.dumps(hashes, indent=2) + "\n").encode())


def _hash(path: Path) -> str | None:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _summary(folder: Path) -> list[str]:
    shown = printable(str(folder))
    width = max(map(len, MADE))
    made = [f"  {name:<{width}}  {about}" for name, about in MADE.items()]
    clip = shlex.quote(str(folder / CLIP))
    following = [
        f"  tracker {clip}",
        f"  tracker plot {shlex.quote(str(folder / JSON))}",
        f"  tracker {clip} --anonymise blur --output blurred.mp4 --no-window",
        "  tracker",
    ]
    about = ("shows the clip", "draws it over time (extra: plot)", "hides the face", "shows your camera")
    columns = max(map(len, following))
    next_ = [f"{line:<{columns}}  {what}" for line, what in zip(following, about, strict=True)]
    return [f"In {shown}:", *made, "", "Next:", *map(printable, next_)]
