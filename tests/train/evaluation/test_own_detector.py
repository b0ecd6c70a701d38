import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tiny import write_300w
from train.errors import RunError
from train.evaluation import own_detector
from train.evaluation.families import FAMILIES
from train.evaluation.own_detector import track_folder, track_test_set
from train.evaluation.results import scores

FAKE = """
import json, sys
from pathlib import Path
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert list(arguments) == ["--images", "--json", "--model"], arguments
folder = Path(arguments["--images"])
"""
"""A tracker in the place of the real one, which is tried on its own: what it was asked, as ``arguments``."""


@pytest.fixture
def tracker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``tracker(code)`` makes that code ``python -m tracker``."""

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


def test_the_real_tracker_finds_the_portrait(tmp_path: Path) -> None:
    """The one test that starts the real tracker: command, JSON and exit code fit together."""
    portrait = Path(own_detector.__file__).parents[2] / "tracker" / "assets" / "astronaut.jpg"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "face.jpg").write_bytes(portrait.read_bytes())
    (tmp_path / "own" / "broken.jpg").write_bytes(b"x")
    track_folder(tmp_path / "own", "resnet18", tmp_path / "out.jsonl")
    from train.evaluation.predictions import read_lines

    lines = read_lines(tmp_path / "out.jsonl")
    assert len(lines["face.jpg"].faces) == 1
    assert lines["broken.jpg"].error
