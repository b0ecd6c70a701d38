"""The folder of a run: refused if anything else is in it, and nothing else is ever removed."""

import json
import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from lightning_fabric import Fabric

from tests.train.training.runs import CONFIG, Faces, StopsAt, log_of, network, train
from train.config import Stage
from train.errors import RunError
from train.training.folder import CURVES, EVENTS, LOG, SAMPLES, alone_in, another
from train.training.options import LAST, RunOptions
from train.training.record import CONFIG as RECORD

SHORT = replace(CONFIG, stages=(Stage(32, 1, 1e-2),))


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    "foreign", ["notes.txt", LOG, EVENTS, "tensorboard/events.out.tfevents.1.other", "checkpoints/a.ckpt"]
)
@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_with_foreign_files_is_refused_and_left_alone(
    faces: Faces, fabric: Fabric, tmp_path: Path, foreign: str, resume: bool
) -> None:
    out = tmp_path / "the run"
    (out / foreign).parent.mkdir(parents=True)
    (out / foreign).write_text("epoch,loss\n1,2\n")
    before = contents(tmp_path)
    with pytest.raises(RunError, match="which this run did not make: give it --out") as caught:
        train(network(), faces, RunOptions(out, resume), fabric, SHORT)
    assert contents(tmp_path) == before
    assert "\n" not in str(caught.value)
    (*_, option, folder) = shlex.split(str(caught.value))
    assert option == "--out"
    train(network(), faces, RunOptions(Path(folder)), fabric, SHORT)
    assert log_of(Path(folder))


def test_a_run_that_ended_before_its_first_checkpoint_begins_again(
    faces: Faces, fabric: Fabric, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(network(), faces, RunOptions(tmp_path), fabric, SHORT, StopsAt(1, KeyboardInterrupt()))
    (tmp_path / f"{LAST}.part").write_bytes(b"half a checkpoint")
    train(network(), faces, RunOptions(tmp_path), fabric, SHORT)
    assert set(contents(tmp_path)) == {LAST, LOG, RECORD, CURVES, EVENTS, *SAMPLES}
    assert len(json.loads((tmp_path / RECORD).read_text())["sessions"]) == 1


@pytest.mark.parametrize("foreign", ["tiny.safetensors", "notes.txt", "more"])
def test_what_was_put_beside_an_unfinished_run_stays(
    faces: Faces, fabric: Fabric, tmp_path: Path, foreign: str
) -> None:
    """Such as the weights of a run whose checkpoint was deleted."""
    train(network(), faces, RunOptions(tmp_path), fabric, SHORT)
    (tmp_path / LAST).unlink()
    if foreign == "more":
        (tmp_path / foreign).mkdir()
    else:
        (tmp_path / foreign).write_bytes(b"precious")
    before = contents(tmp_path)
    with pytest.raises(RunError, match=f"holds {foreign}, which this run did not make"):
        train(network(), faces, RunOptions(tmp_path), fabric, SHORT)
    assert contents(tmp_path) == before


def test_a_link_is_not_followed(faces: Faces, fabric: Fabric, tmp_path: Path) -> None:
    other, out = tmp_path / "other", tmp_path / "out"
    train(network(), faces, RunOptions(out), fabric, SHORT)
    (out / LAST).unlink()
    (out / EVENTS).parent.rename(other)
    (out / EVENTS).parent.symlink_to(other, target_is_directory=True)
    before = contents(other)
    with pytest.raises(RunError, match="holds tensorboard"):
        train(network(), faces, RunOptions(out), fabric, SHORT)
    assert contents(other) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no locks for folders")
def test_a_folder_that_another_run_writes_to_is_left_alone(
    faces: Faces, fabric: Fabric, tmp_path: Path
) -> None:
    """Also before its first checkpoint, when its files would be taken for those of a run that has ended."""
    out = tmp_path / "run"
    train(network(), faces, RunOptions(out), fabric, SHORT)
    (out / LAST).unlink()
    before = contents(out)
    with alone_in(out, fabric):
        for resume in (False, True):
            with pytest.raises(RunError, match=r"another run is writing to .* --out \S+run-2$"):
                train(network(), faces, RunOptions(out, resume), fabric, SHORT)
        assert contents(out) == before
    train(network(), faces, RunOptions(out), fabric, SHORT)
    assert (out / LAST).is_file()


def test_the_folder_that_is_offered_is_free(tmp_path: Path) -> None:
    for name in ("run", "run-2", "run-3"):
        (tmp_path / name).mkdir()
    assert another(tmp_path / "run") == f"--out {tmp_path / 'run-4'}"
