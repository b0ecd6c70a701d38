"""Schemes in TOML files, and schemes by name or file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tracker.scheme.fields import Fields, text
from tracker.scheme.plain import from_plain
from tracker.scheme.shipped import SCHEMES
from tracker.scheme.value import Scheme

MOST_BYTES = 1_000_000
"""Largest size of a TOML file that is read; one of a thousand points with names has 50 kB."""


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of the TOML file ``path``.

    Raises ``ValueError``, in one line that names the file, if it cannot be read or is none.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"larger than {MOST_BYTES // 1000} kB")
        return tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no TOML file: it is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        reason = "too deeply nested" if isinstance(error, RecursionError) else str(error).partition("\n")[0]
        raise ValueError(f"{path} is no TOML file: {reason}") from error


def read_scheme(path: Path) -> Scheme:
    """Return the scheme in the TOML file ``path``, whose fields are those of a :class:`Scheme`.

    Raises ``ValueError``, in one line that names the file, if it cannot be read or used.
    """
    return from_plain(read_toml(path), str(path))


def find_scheme(name: str) -> Scheme:
    """Return the shipped scheme ``name``, or that of the TOML file of this name.

    Raises ``ValueError``, with a list of the shipped ones, if there is neither.
    """
    if name in SCHEMES:
        return SCHEMES[name]
    if name.lower().endswith(".toml"):
        return read_scheme(Path(name))
    raise ValueError(f"unknown scheme {name!r}: choose one of {', '.join(SCHEMES)}, or a file such as a.toml")


def scheme_from_table(table: object, where: Path) -> Scheme:
    """Return the scheme of the table ``[scheme]`` of a model's TOML file ``where``.

    It holds the ``name`` of a shipped scheme, a ``file`` relative to the model's, or a scheme itself. Raises
    ``ValueError``, in one line, for anything else.
    """
    title = f"{where}: [scheme]"
    names = table.keys() if isinstance(table, dict) else ()
    if names == {"file"}:
        return read_scheme(where.parent / Fields(table, title).require("file", text))
    if names != {"name"}:
        return from_plain(table, title)
    if (name := Fields(table, title).require("name", text)) not in SCHEMES:
        raise ValueError(f"{title}: unknown scheme {name!r}: choose one of {', '.join(SCHEMES)}")
    return SCHEMES[name]
