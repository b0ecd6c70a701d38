"""Distribution on the package index: its name, and the commands that install what is missing or damaged.

The name differs from that of the package: ``tracker`` on the index belongs to another project. Every command
for pip in a message comes from here.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "tracker68"
"""Name of the distribution; the package and the command are called ``tracker``."""

_PACKAGE = Path(__file__).resolve().parent


def version() -> str:
    """Return the version of the installed distribution; raises ``PackageNotFoundError`` if there is none."""
    return metadata.version(DISTRIBUTION)


def installed(names: Sequence[str]) -> dict[str, str]:
    """Return the version of each distribution in ``names`` that is installed, in the same order."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def install_command(*extras: str) -> str:
    """Return the command that adds ``extras``, such as ``pip install 'tracker68[osc]'``.

    In a lean install, which has other builds of OpenCV and ONNX Runtime than the distribution requires, it
    names what the extras need instead: pip would add the required builds, and two would meet.
    """
    needed = list(_needed_by(extras)) if _lacks_requirements() else []
    return _pip_install(*(needed or [f"{DISTRIBUTION}[{','.join(extras)}]" if extras else DISTRIBUTION]))


def clone_command(*extras: str) -> str:
    """Return the command that installs ``extras`` from within a clone, for what the wheel leaves out."""
    return f"pip install -e {_quoted('.[' + ','.join(extras) + ']')}"


def missing_library(program: str, error: ModuleNotFoundError) -> str:
    """Return the line for ``python -m PROGRAM`` in a clone without the extra ``train``.

    Raises ``error`` itself if a module of this repository is missing, which no installation mends.
    """
    if (error.name or "").startswith(("train.", "export.", "tracker.")):
        raise error
    return f"{program}: a library is missing ({error}): {clone_command('train')}"


def repair_command() -> str:
    """Return the command that puts back damaged or missing models."""
    if (_PACKAGE.parent / ".git").exists():  # a clone, whose models lie beside the package
        return f"git -C {_quoted(str(_PACKAGE.parent))} restore weights"
    return _reinstall(_address() or DISTRIBUTION)


def swap_command(removed: Sequence[str], kept: str, version: str) -> str:
    """Return the commands that remove distributions and put back ``kept``, whose files they share."""
    return f"pip uninstall --yes {' '.join(removed)} && {_reinstall(f'{kept}=={version}')}"


def _reinstall(requirement: str) -> str:
    return f"pip install --force-reinstall --no-deps {_quoted(requirement)}"


def _pip_install(*requirements: str) -> str:
    return " ".join(["pip install", *map(_quoted, requirements)])


def _quoted(requirement: str) -> str:
    """Return ``requirement`` as the usual shells of this system take it, in quotes where needed."""
    quoted = shlex.quote(requirement)
    return quoted if sys.platform != "win32" or quoted == requirement else f'"{requirement}"'


def _address() -> str | None:
    """Return the address of the wheel or the folder that was installed, or None if it came from an index."""
    try:
        text = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    return str(json.loads(text)["url"]) if text else None


def _requirements(extra: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and text of what the distribution requires here: at all, or for ``extra`` alone."""
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        always = marker is None or marker.evaluate({"extra": ""})
        for_extra = marker is not None and not always and marker.evaluate({"extra": extra})
        if for_extra if extra else always:
            yield requirement.name, f"{requirement.name}{requirement.specifier}"


def _lacks_requirements() -> bool:
    names = [name for name, _ in _requirements()]
    return len(installed(names)) < len(names)


def _needed_by(extras: Sequence[str]) -> Iterator[str]:
    for extra in extras:
        yield from (text for _, text in _requirements(extra))
