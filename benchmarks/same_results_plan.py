"""Runs of :mod:`benchmarks.same_results`: command lines, input files, and parts of results left out."""

from __future__ import annotations

import csv
import importlib.util
import re
import shlex
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

import av

from benchmarks.same_results_cases import CASES, Case
from tracker.errors import BenchError

What = Literal["commands", "images", "anonymised", "batch", "videos"]
WHATS: tuple[What, ...] = ("commands", "images", "anonymised", "batch", "videos")
"""Groups of runs in the order in which they run, quick ones first."""
READS: dict[What, str] = {
    "commands": "inputs",
    "images": "images",
    "anonymised": "videos",
    "batch": "batch",
    "videos": "videos",
}
"""Folder below the working folder that the commands of each group read."""
MODELS = ("resnet18", "unet", "unet-light")
_LIGHT = "unet-light"
_PICTURES = 100
_SECONDS = re.compile(rb'("seconds": )[\d.e-]+')

Normalise = Callable[[bytes], bytes]
"""Function that removes from a text what differs between the sides, such as their folders."""


@dataclass(frozen=True)
class Step:
    """One run whose results are compared; it must succeed.

    ``line`` is its command line, with files relative to the working folder and results below ``out``.
    ``tidy`` removes from the results what differs between any two runs.
    """

    what: What
    name: str
    line: str
    tidy: Callable[[Path, Normalise], None] | None = None


def plan(what: What, data: Path, threads: int) -> Sequence[Step | Case]:
    """Return the runs of the group ``what``.

    Raises :class:`~tracker.errors.BenchError` when ``data`` lacks the files that it needs.
    """
    if what == "commands":
        return CASES
    common = f"--backend cpu --threads {threads} --no-window"
    if what == "images":
        return list(_image_steps(common))
    clips = _clips(data)
    if what == "videos":
        return [_video_step(clip.name, model, common) for clip in clips for model in MODELS]
    if what == "batch":
        line = f"batch batch --output out/batch/results --jobs 2 --threads 1 --model {_LIGHT} --backend cpu"
        return [Step(what, "batch", line, _tidy_batch)]
    out = "out/anonymised"
    clip = shlex.quote(f"videos/{min(clips, key=_size).name}")
    files = f"--output {out}/blur.mp4 --json {out}/blur.jsonl"
    line = f"--video {clip} --anonymise blur {files} --model {_LIGHT} {common}"
    plots = [
        Step(what, f"plot {ending}", f"plot {out}/blur.jsonl --output {out}/plot.{ending}")
        for ending in ("html", "png")
    ]
    return [Step(what, "blur", line, _tidy_film), *plots]


def _video_step(clip: str, model: str, common: str) -> Step:
    name = f"{Path(clip).stem}.{model}"
    video, out = shlex.quote(f"videos/{clip}"), shlex.quote(f"out/videos/{name}")
    files = f"--json {out}.jsonl --csv {out}.csv"
    if model == _LIGHT:
        files += f" --openface {out}.openface.csv"
    return Step("videos", name, f"--video {video} {files} --model {model} {common}")


def _image_steps(common: str) -> Iterator[Step]:
    out = "out/images"
    kinds = f"--json {out}/r.jsonl --csv {out}/r.csv --labels {out}/r.xml --output {out}/marked"
    yield Step("images", "resnet18", f"--images images {kinds} --model resnet18 {common}")
    kinds = f"--labels {out}/pts"
    if importlib.util.find_spec("pyarrow"):
        kinds += f" --parquet {out}/u.parquet"
    yield Step("images", _LIGHT, f"--images images {kinds} --model {_LIGHT} {common}")


def _tidy_batch(out: Path, normalise: Normalise) -> None:
    """Leave out all seconds, folders, and the order in which the processes were done."""
    summary = out / "results/summary.csv"
    with summary.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    at = header.index("seconds")
    with summary.open("w", encoding="utf-8", newline="") as file:
        kept = csv.writer(file, lineterminator="\n")
        kept.writerows(row[:at] + row[at + 1 :] for row in (header, *sorted(rows)))
    records = list(out.rglob("*.jsonl.json"))
    for path in (summary, *records):
        path.write_bytes(normalise(_SECONDS.sub(rb"\1null", path.read_bytes())))


def _tidy_film(out: Path, _: Normalise) -> None:
    """Put hashes of its pictures, with their times, in place of the film: containers may hold a date."""
    film = out / "blur.mp4"
    with av.open(str(film)) as container:
        lines = [
            f"{frame.pts} {sha256(frame.to_ndarray(format='bgr24').tobytes()).hexdigest()}\n"
            for frame in container.decode(video=0)
        ]
    film.unlink()
    film.with_suffix(".frames").write_text("".join(lines))


def lay_out(work: Path, data: Path, whats: Iterable[What]) -> None:
    """Put what :func:`plan` reads into the working folder ``work``, under the same names on both sides."""
    wanted = set(whats)
    if wanted & {"videos", "anonymised"}:
        (work / "videos").mkdir()
        for clip in _clips(data):
            (work / "videos" / clip.name).symlink_to(clip.resolve())
    if wanted & {"images", "batch"}:
        pictures = _pictures(data)
        _copy(pictures, work / "images")
    if "batch" in wanted:
        _copy(pictures[:5], work / "batch/stills")
        _copy(sorted(_clips(data), key=_size)[:2], work / "batch")


def _size(file: Path) -> tuple[int, str]:
    return file.stat().st_size, file.name


def _copy(files: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy2(file, folder / file.name)


def _clips(data: Path) -> list[Path]:
    if found := sorted((data / "videos").glob("*.mp4")):
        return found
    raise BenchError(f"no videos/*.mp4 in {data}: give --data, or --only commands, which needs none")


def _pictures(data: Path) -> list[Path]:
    for part in ("lfpw", "helen"):
        if found := sorted((data / "300w" / part / "testset").glob("*.jpg"))[:_PICTURES]:
            return found
    raise BenchError(
        f"no test images in {data}/300w/lfpw/testset or helen/testset: give --data, or --only commands"
    )
