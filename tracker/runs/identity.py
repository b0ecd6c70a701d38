"""Identity of a run: everything that its results depend on, to compare with an earlier run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from tracker.distribution import DISTRIBUTION
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.system.machine import library_versions

RunKind = Literal["video", "images"]


@dataclass(frozen=True)
class RunIdentity:
    """Everything that the results of a run depend on.

    ``inputs`` are the files that it reads; ``settings`` are JSON-compatible and include the tracker's;
    ``scheme`` is that of the landmarks.
    """

    kind: RunKind
    inputs: Sequence[Path]
    settings: Mapping[str, Any] = field(default_factory=dict)
    scheme: Scheme = IBUG68

    def to_json(self) -> dict[str, Any]:
        """Return JSON-compatible data that is equal for runs with equal results.

        Input files are looked at now: a file that has changed since counts as another.
        """
        run = {
            "kind": self.kind,
            "tracker": library_versions().get(DISTRIBUTION),
            "input": _input_identity(self.inputs),
            **self.settings,
        }
        if self.scheme != IBUG68:
            run["scheme"] = self.scheme.fingerprint
        return dict(json.loads(json.dumps(run)))  # as it is read back: tuples become lists


def _input_identity(paths: Sequence[Path]) -> list[Any]:
    """Return name, size and time of change of one file, or count and hash of those of several.

    A file that cannot be looked at has a name only.
    """
    about: list[tuple[Any, ...]] = []
    for path in paths:
        about.append((path.name,))
        with suppress(OSError):
            stat = path.stat()
            about[-1] = (path.name, stat.st_size, stat.st_mtime_ns)
    if len(about) == 1:
        return list(about[0])
    return [len(about), sha256(repr(about).encode()).hexdigest()]


def differences(before: Any, now: Any, name: str = "") -> Iterator[str]:
    """Yield a line for each difference of two JSON values, with the names of the keys that lead to it."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted(before.keys() | now.keys()):
            yield from differences(before.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif before != now:
        yield f"{name} was {_shortened(before)}, now {_shortened(now)}"


def _shortened(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
