"""Evaluation of the whole tracker on labelled faces, with its own detector and crops."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from train.errors import RunError
from train.evaluation.labelled import LabelledSet
from train.evaluation.predictions import Line, collect, match, read_lines
from train.evaluation.results import Evaluation
from train.progress import progress_bar

_POLL_S = 0.2


def own_detector(test: LabelledSet, files: Iterable[tuple[str | None, Path]]) -> Evaluation:
    """Score prediction ``files``, pairs of subset (or ``None``) and path, on the subsets that they cover.

    In each image the predicted face whose tight box overlaps the label's most counts; without any overlap,
    and without a line for the image, the face is a miss. Raises :class:`~train.errors.DataError` as
    :func:`~train.evaluation.predictions.collect` does.
    """
    names: dict[str, list[str]] = {}
    for image, subset in zip(test.images, test.subsets, strict=True):
        names.setdefault(image.name, []).append(subset)
    found = collect(names, files)
    covered = test.only(subset in found for subset in test.subsets)
    faces = zip(covered.truth, covered.subsets, covered.images, strict=True)
    predicted = [match(truth, found[subset].get(image.name, ())) for truth, subset, image in faces]
    return covered.evaluated("own detector", np.array(predicted))


def track_test_set(test: LabelledSet, model: str) -> Evaluation:
    """Run the tracker with its shipped ``model`` over the folder of each subset, and score its output.

    Raises :class:`~train.errors.RunError` if the tracker fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for subset, folder in _folders(test).items():
            path = Path(scratch) / f"{subset}.jsonl"
            track_folder(folder, model, path, test.subsets.count(subset))
            files.append((subset, path))
        return own_detector(test, files)


def track_folder(folder: Path, model: str, json_path: Path, images: int | None = None) -> None:
    """Write the faces of the images in ``folder`` to ``json_path`` with ``python -m tracker``.

    Images that it could not read have an error line there. ``images`` is their number, for the progress bar.
    Raises :class:`~train.errors.RunError` with the tracker's own message if it fails.
    """
    arguments = ("--images", str(folder), "--json", str(json_path), "--model", model)
    command = [sys.executable, "-m", "tracker", *arguments]
    code, said = _watch(command, f"tracking {folder}", json_path, images)
    # Exit code 1 with error lines only means that some images could not be read.
    if code != 0 and not (code == 1 and '"error":' in _text(json_path)):
        raise RunError(f"the tracker failed on {folder}: {said or f'exit code {code}'}")


def tracked(folder: Path, model: str, images: int | None = None) -> dict[str, Line]:
    """Return the tracker's line for each image in ``folder``, by file name.

    Raises as :func:`track_folder` does.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "faces.jsonl"
        track_folder(folder, model, path, images)
        return read_lines(path)


def tracked_images(images: Sequence[Path], model: str) -> dict[str, Line]:
    """Return the tracker's line for each of ``images``, which must have different names."""
    with tempfile.TemporaryDirectory() as scratch:
        for image in images:
            shutil.copy(image, Path(scratch) / image.name)
        return tracked(Path(scratch), model, len(images))


def _watch(command: Sequence[str], title: str, json_path: Path, total: int | None) -> tuple[int, str]:
    """Run ``command`` and return its exit code and last line on stderr.

    The number of lines in ``json_path`` is shown as progress towards ``total``.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            with progress_bar(title, total) as advance:
                shown, running = 0, True
                while running:
                    running = process.poll() is None
                    written = _text(json_path).count("\n")
                    for _ in range(written - shown):
                        advance()
                    shown = written
                    if running:
                        time.sleep(_POLL_S)
        finally:
            process.terminate()
            process.wait()
        stderr.seek(0)
        last = stderr.read().strip().rpartition("\n")[2]
    return process.returncode, last.removeprefix("tracker: ")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _folders(test: LabelledSet) -> Mapping[str, Path]:
    return {subset: image.parent for subset, image in zip(test.subsets, test.images, strict=True)}
