"""Event file of a run for TensorBoard: one file, to which each epoch and each resumed part adds."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Sequence
from pathlib import Path

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import masked_crc32c

from train.errors import RunError
from train.training.log import Row


def write_events(path: Path, rows: Sequence[Row], anew: bool) -> None:
    """Write the last of ``rows`` of the log to the end of ``path``, or all of them to a new file.

    Each finite value is a scalar of the row's epoch, with the name of its column. Raises :class:`RunError` if
    the file cannot be written.
    """
    began = time.time() - rows[-1]["elapsed_s"]
    records = [_record(Event(wall_time=began, file_version="brain.Event:2"))] if anew else []
    for row in rows if anew else rows[-1:]:
        scalars = [
            Summary.Value(tag=name, simple_value=value)
            for name, value in row.items()
            if name != "epoch" and math.isfinite(value)
        ]
        at = began + row["elapsed_s"]
        records.append(_record(Event(wall_time=at, step=int(row["epoch"]), summary=Summary(value=scalars))))
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("wb" if anew else "ab") as file:
            file.write(b"".join(records))
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}; make room, then --resume") from error


def _record(event: Event) -> bytes:
    """Return ``event`` as TensorFlow's files hold it: length, its checksum, content, its checksum."""
    content: bytes = event.SerializeToString()
    length = struct.pack("<Q", len(content))
    checksums = (struct.pack("<I", masked_crc32c(part)) for part in (length, content))
    return length + next(checksums) + content + next(checksums)
