"""Inputs given as paths, each told by its content: films, tracked one after the other, or pictures."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import typer

from tracker.sources.camera.mode import is_local_camera
from tracker.sources.left_out import counts_as_video, is_hidden
from tracker.sources.patterns import is_numbered
from tracker.sources.suffixes import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from tracker.system.addresses import is_elsewhere, masked
from tracker.system.terminal import printable

COMMANDS = ("info", "batch", "bench", "plot", "demo", "serve")
"""Names of the commands, which no path is taken for."""

_RESULTS_HEAD = 1 << 12
_MOST_EDITS = 2


@dataclass(frozen=True)
class Inputs:
    """Inputs of a run: ``films`` one after the other, or ``pictures`` together; a camera without both.

    ``pictures`` are files, folders and patterns.
    """

    films: tuple[Path, ...] = ()
    pictures: tuple[str, ...] = ()

    @property
    def is_camera(self) -> bool:
        """True if no files are read."""
        return not (self.films or self.pictures)


def inputs_of(names: Sequence[str]) -> Inputs:
    """Return what the paths ``names`` stand for; a folder of films stands for each of them.

    Raises ``typer.BadParameter`` for what is no path, holds neither films nor pictures, or both.
    """
    films: list[Path] = []
    pictures: list[str] = []
    for name in names:
        _refuse_other_names(name)
        path = Path(name)
        if path.is_dir():
            found = _films_in(path)
            films += found
            pictures += () if found else (name,)
        elif _is_pictures(path):
            pictures.append(name)
        else:
            films.append(path)
    if films and pictures:
        raise typer.BadParameter(f"videos and pictures are runs of their own; all at once: {_batch(names)}")
    return Inputs(tuple(dict.fromkeys(films)), tuple(dict.fromkeys(pictures)))


def check_several_films(inputs: Inputs, names: Sequence[str], single: Sequence[str]) -> None:
    """Refuse the options ``single``, which name one file, where several films are tracked."""
    if len(inputs.films) > 1 and single:
        wrong = f"{' and '.join(single)} of {len(inputs.films)} videos would be one file"
        raise typer.BadParameter(f"{wrong}; {_batch(names)} makes JSON lines of each")


def names_folder(output: Path) -> bool:
    """Return whether ``output`` is a folder, or can become one: a new name without a suffix."""
    return output.is_dir() or not (output.suffix or output.exists())


def outputs_of(films: Sequence[Path], folder: Path) -> list[Path]:
    """Return the annotated video of each of ``films`` in ``folder``: its name, numbered if it is taken.

    Raises ``typer.BadParameter`` if one is an input.
    """
    outputs: list[Path] = []
    taken: set[str] = set()
    for film in films:
        name, number = f"{film.stem}.mp4", 1
        while name.casefold() in taken:
            number += 1
            name = f"{film.stem}-{number}.mp4"
        taken.add(name.casefold())
        outputs.append(folder / name)
    here = {path.resolve() for path in films}
    for target in outputs:
        if target.resolve() in here:
            raise typer.BadParameter(
                f"--output {printable(str(target))} would replace an input: give another folder"
            )
    return outputs


def _refuse_other_names(name: str) -> None:
    """Refuse a name that stands for no path that can be tracked, with what to give instead."""
    path, shown = Path(name), printable(name)
    if not name:
        raise typer.BadParameter("an empty name; leave it out, or say which")
    if name in COMMANDS:
        raise typer.BadParameter(
            f"{name} is a command, which stands first: tracker {name}; a file of that name is ./{name}"
        )
    if is_elsewhere(name) or (is_local_camera(name) and not path.is_file()):
        raise typer.BadParameter(f"files are given by name, a camera or stream so: --camera {masked(shown)}")
    if _is_results(path):
        raise typer.BadParameter(f"{shown} holds results: tracker plot {shlex.quote(shown)} draws them")
    is_word = not path.suffix and path.name == name and not (path.exists() or path.is_symlink())
    if is_word and not glob.has_magic(name):
        alike = get_close_matches(name, COMMANDS, n=len(COMMANDS))
        if near := [command for command in alike if _edits(name, command) <= _MOST_EDITS]:
            raise typer.BadParameter(
                f"{shown} is neither a file nor a command: did you mean tracker {near[0]}?"
            )
        raise typer.BadParameter(
            f"there is no file or folder {shown}; it is no command either: tracker --help lists the commands"
        )


def _edits(a: str, b: str) -> int:
    """Return how many letters must be put in, left out or replaced to make ``b`` of ``a`` (Levenshtein)."""
    row = list(range(len(b) + 1))
    for place, letter in enumerate(a, 1):
        above, row = row, [place]
        for column, other in enumerate(b, 1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (letter != other)))
    return row[-1]


def _films_in(folder: Path) -> list[Path]:
    """Return the films of a ``folder`` in order; none if it is one of pictures.

    Raises ``typer.BadParameter`` if it holds both, or only further folders.
    """
    try:
        here = [path for path in folder.iterdir() if not is_hidden(path)]
    except OSError:
        return []  # whoever opens it says why
    films = sorted(path for path in here if counts_as_video(path) and path.is_file())
    pictures = any(path.suffix.lower() in IMAGE_SUFFIXES for path in here)
    shown = printable(str(folder))
    if films and pictures:
        raise typer.BadParameter(f"{shown} holds videos and pictures: {_batch([str(folder)])} tracks all")
    if here and all(path.is_dir() for path in here):
        raise typer.BadParameter(f"{shown} holds only folders: {_batch([str(folder)])} tracks all below")
    return films


def _is_pictures(path: Path) -> bool:
    """Return whether ``path`` is a picture, or a pattern of some that are not one film."""
    from tracker.sources.images.kind import is_still  # takes a while to import

    if is_numbered(path) or (path.suffix.lower() in VIDEO_SUFFIXES and not path.exists()):
        return False  # also a name with brackets, which is no pattern of pictures if it is that of a film
    return is_still(path) or (glob.has_magic(str(path)) and not path.exists())


def _is_results(path: Path) -> bool:
    """Return whether ``path`` begins as the JSON lines of a run, by its name if it is not there."""
    if not path.is_file():
        return path.suffix.lower() == ".jsonl"
    try:
        with path.open("rb") as file:
            head = file.read(_RESULTS_HEAD)
    except OSError:
        return False
    return head.startswith(b'{"') and b'"faces"' in head


def _batch(names: Sequence[str]) -> str:
    return f"tracker batch {shlex.join(printable(name) for name in names)} --output results"
