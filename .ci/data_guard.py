"""Refuse data files and large files in the repository: ``data_guard.py FILE...``, paths from its root.

Files of data are allowed by ``.ci/allowed_data.txt`` only; any other file may have 500 kB. Prints a line for
each file that is refused; the exit code is 1 if there is one.
"""

from __future__ import annotations

import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

MOST_KILOBYTES = 500
ALLOWED = Path(__file__).with_name("allowed_data.txt")
DATA = re.compile(
    r"""\.( apng|avif|bmp|dng|gif|heic|heif|ico|jfif|jp2|jpe|jpeg|jpg|pbm|pgm|png|pnm|ppm|svg|tga
          | tif|tiff|webp
          | 3gp|avi|flv|m2ts|m4v|mkv|mov|mp4|mpeg|mpg|mts|ogv|ts|webm|wmv|y4m
          | aac|flac|m4a|mp3|oga|ogg|opus|wav
          | asf|csv|feather|h5|hdf5|jsonl|mat|npy|npz|parquet|pickle|pkl|pts|xml
          | 7z|bz2|gz|rar|tar|tgz|xz|zip|zst
          | caffemodel|ckpt|dat|engine|onnx|pb|pt|pth|safetensors|task|tflite )$""",
    re.IGNORECASE | re.VERBOSE,
)
"""Names of pictures, films, sound, labels and tables, archives, and weights."""


class Allowance(NamedTuple):
    """Line of the list: the files that it allows, and their size."""

    pattern: str
    most_kilobytes: float


def allowances() -> list[Allowance]:
    """Return the lines of the list; each has a pattern, a size and a reason."""
    lines = (line for line in ALLOWED.read_text(encoding="utf-8").splitlines() if line.strip())
    fields = (re.split(r"\s+\|\s+", line, maxsplit=2) for line in lines if not line.startswith("#"))
    return [Allowance(pattern, float(kilobytes)) for pattern, kilobytes, _ in fields]


def refusal(path: Path, allowed: list[Allowance]) -> str | None:
    """Return why the file at ``path`` may not be committed, None if it may."""
    kilobytes = path.lstat().st_size / 1000
    if not DATA.search(path.name):
        if kilobytes <= MOST_KILOBYTES:
            return None
        return f"{kilobytes:.0f} kB, and {MOST_KILOBYTES} are allowed: leave it out, or make it smaller"
    sizes = [line.most_kilobytes for line in allowed if fnmatchcase(path.as_posix(), line.pattern)]
    if not sizes:
        return "a data file that no line of .ci/allowed_data.txt allows: leave it out, or make it in a test"
    if kilobytes > max(sizes):
        return f"{kilobytes:.0f} kB, and .ci/allowed_data.txt allows {max(sizes):.0f}: make it smaller"
    return None


def main() -> None:
    """Print the files that may not be committed; exit with 1 if there is one."""
    allowed = allowances()
    found = [(name, why) for name in sys.argv[1:] if (why := refusal(Path(name), allowed))]
    for name, why in found:
        print(f"{name}: {why}", file=sys.stderr)  # noqa: T201
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
