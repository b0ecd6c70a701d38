import json
import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import train
from tests.tiny import face_points, write_300w
from tests.train.evaluation.examples import labelled, line, write
from tracker.types import FloatArray
from train.errors import DataError, RunError
from train.evaluation.families import FAMILIES
from train.evaluation.own_detector import own_detector, track_folder, track_test_set
from train.evaluation.predictions import read_lines
from train.evaluation.results import scores

FAKE = """
import json, sys
from pathlib import Path
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert list(arguments) == ["--images", "--json", "--model"], arguments
folder = Path(arguments["--images"])
"""
"""Start of a script that replaces the tracker: its options are in ``arguments``."""


@pytest.fixture
def tracker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``tracker(code)`` replaces ``python -m tracker`` by that code."""

    def install(code: str) -> None:
        (tmp_path / "bin").mkdir(exist_ok=True)
        script = tmp_path / "bin" / "fake.py"
        script.write_text(FAKE + code)
        launcher = tmp_path / "bin" / "python"
        launcher.write_text(f'#!/bin/sh\nshift 2\nexec "{sys.executable}" "{script}" "$@"\n')
        launcher.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(launcher))

    return install


WRITE_LABELS = """
from train.data.readers import read_pts_folder
with open(arguments["--json"], "w") as out:
    for face in read_pts_folder(folder, "x")[: -1 if "helen" in str(folder) else None]:
        found = [{"landmarks": (face.points + (1, 0)).tolist()}]
        print(json.dumps({"source": face.image.name, "faces": found}), file=out)
"""


def test_the_folder_of_each_subset_is_tracked_and_scored(
    tracker: Callable[[str], None], tmp_path: Path
) -> None:
    faces = FAMILIES["resnet18"].read(write_300w(tmp_path / "tree", train=1))
    tracker(WRITE_LABELS + "assert arguments['--model'] == 'resnet18'")
    results = scores(track_test_set(faces, "resnet18"))
    assert [(s.subset, s.faces, s.misses) for s in results] == [
        ("lfpw", 3, 0),
        ("helen", 3, 1),
        ("lfpw + helen", 6, 1),
    ]
    assert results[0].mean == pytest.approx((100 / faces.normaliser[:3]).mean())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print('noise', file=sys.stderr); sys.exit('tracker: no model x: choose one of y')", "no model x"),
        ("sys.exit(3)", "exit code 3"),
        ("open(arguments['--json'], 'w').write('{\"error\": \"\"}\\n'); sys.exit(130)", "exit code 130"),
    ],
)
def test_a_failing_tracker_is_quoted(
    tracker: Callable[[str], None], tmp_path: Path, code: str, expected: str
) -> None:
    tracker(code)
    with pytest.raises(RunError, match=f"the tracker failed on .*: {expected}") as caught:
        track_folder(tmp_path, "x", tmp_path / "out.jsonl")
    assert "\n" not in str(caught.value)


def test_images_that_could_not_be_read_are_no_failure(tracker: Callable[[str], None], tmp_path: Path) -> None:
    record = json.dumps({"source": "a.jpg", "faces": [], "error": "damaged"})
    tracker(f"open(arguments['--json'], 'w').write({record + chr(10)!r}); sys.exit('tracker: 1 image ...')")
    track_folder(tmp_path, "x", tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text())["error"] == "damaged"


def test_an_interrupted_evaluation_ends_the_tracker(
    tracker: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker(
        "import os, time\n"
        "Path(arguments['--json']).with_suffix('.pid').write_text(str(os.getpid()))\n"
        "time.sleep(60)"
    )

    def interrupt(_: object) -> None:
        if (tmp_path / "out.pid").is_file() and (tmp_path / "out.pid").read_text():
            raise KeyboardInterrupt
        real_sleep(0.01)

    real_sleep = time.sleep
    monkeypatch.setattr(time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        track_folder(tmp_path, "x", tmp_path / "out.jsonl")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "out.pid").read_text()), 0)


@pytest.mark.slow
def test_the_real_tracker_finds_the_portrait(tmp_path: Path) -> None:
    """Starts the real tracker, to test that command, JSON and exit code fit together."""
    portrait = Path(train.__file__).parents[1] / "tracker" / "assets" / "astronaut.jpg"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "face.jpg").write_bytes(portrait.read_bytes())
    (tmp_path / "own" / "broken.jpg").write_bytes(b"x")
    track_folder(tmp_path / "own", "resnet18", tmp_path / "out.jsonl")

    lines = read_lines(tmp_path / "out.jsonl")
    assert len(lines["face.jpg"].faces) == 1
    assert lines["broken.jpg"].error


TRUTH = face_points()


FAR = face_points((600, 500), 100)


def error_line(name: str) -> str:
    return json.dumps({"source": name, "frame": 0, "error": "not an image"})


def shifted(percent: float) -> FloatArray:
    """Return TRUTH with an error of ``percent`` of the inter-ocular distance at every point."""
    shift = np.array((percent / 100 * math.dist(TRUTH[36], TRUTH[45]), 0))
    return np.asarray(TRUTH + shift)


def test_all_kinds_of_misses_are_counted(tmp_path: Path) -> None:
    faces = labelled([f"lfpw/{name}.jpg" for name in "abcdef"])
    path = write(
        tmp_path / "p.jsonl",
        line("a.jpg", FAR, shifted(2)),
        line("b.jpg", shifted(12)),
        line("c.jpg"),
        error_line("d.jpg"),
        line("e.jpg", FAR),
        line("elsewhere.jpg", TRUTH),
    )  # and no line for f.jpg
    (result,) = scores(own_detector(faces, [(None, path)]))
    assert (result.subset, result.faces, result.misses) == ("lfpw", 6, 4)
    assert result.mean == pytest.approx(7)
    assert result.median == pytest.approx(7)
    assert result.failure_rate == pytest.approx(5 / 6)
    assert result.auc == pytest.approx((1 - 2 / 8) / 6)


def test_one_file_of_one_subset_scores_that_subset_only(tmp_path: Path) -> None:
    faces = labelled(["lfpw/a.jpg", "helen/b.jpg"])
    path = write(tmp_path / "p.jsonl", line("b.jpg", shifted(1)))
    assert [(s.subset, s.faces) for s in scores(own_detector(faces, [(None, path)]))] == [("helen", 1)]


@pytest.mark.parametrize("split", [True, False])
def test_two_subsets_are_scored_apart_and_together(tmp_path: Path, split: bool) -> None:
    faces = labelled(["lfpw/a.jpg", "helen/b.jpg", "helen/c.jpg"])
    lines = line("a.jpg", shifted(1)), line("b.jpg", shifted(4)), line("c.jpg", shifted(7))
    if split:
        files = [write(tmp_path / "1.jsonl", lines[0]), write(tmp_path / "2.jsonl", *lines[1:])]
    else:
        files = [write(tmp_path / "all.jsonl", *lines)]
    results = scores(own_detector(faces, [(None, path) for path in files]))
    assert [(s.subset, s.faces) for s in results] == [("lfpw", 1), ("helen", 2), ("lfpw + helen", 3)]
    assert [s.mean for s in results] == pytest.approx([1, 5.5, 4])


def test_a_name_in_both_subsets_needs_the_subset_and_then_works(tmp_path: Path) -> None:
    faces = labelled(["lfpw/a.jpg", "helen/a.jpg", "helen/b.jpg"])
    of_lfpw = write(tmp_path / "lfpw.jsonl", line("a.jpg", shifted(1)))
    of_helen = write(tmp_path / "helen.jsonl", line("a.jpg", shifted(3)), line("b.jpg", shifted(3)))
    with pytest.raises(DataError, match="lfpw and helen: say --predictions SUBSET="):
        own_detector(faces, [(None, of_lfpw)])
    results = scores(own_detector(faces, [("lfpw", of_lfpw), ("helen", of_helen)]))
    assert [s.mean for s in results] == pytest.approx([1, 3, 7 / 3])


def test_two_files_about_one_image_are_refused(tmp_path: Path) -> None:
    faces = labelled(["lfpw/a.jpg"])
    path = write(tmp_path / "p.jsonl", line("a.jpg"))
    with pytest.raises(DataError, match=r"p\.jsonl: lfpw image a\.jpg is in an earlier"):
        own_detector(faces, [(None, path), (None, path)])


@pytest.mark.parametrize("subset", [None, "helen"])
def test_a_file_about_other_images_is_refused(tmp_path: Path, subset: str | None) -> None:
    faces = labelled(["lfpw/a.jpg", "helen/c.jpg"])
    path = write(tmp_path / "p.jsonl", line("a.jpg" if subset else "b.jpg", TRUTH))
    with pytest.raises(DataError, match=r"p\.jsonl: names no image of " + (subset or "the test sets")):
        own_detector(faces, [(subset, path)])
