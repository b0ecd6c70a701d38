"""The record of a run, and what a resumed run compares."""

import functools
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from lightning_fabric import Fabric
from torch import Tensor

from tests.train.training.runs import CONFIG, Faces, StopsAt, WholeRun, network, same_weights, train
from train.config import learning_rate
from train.configs.loading import load_config
from train.data.dataset import SampleRecipe
from train.errors import RunError
from train.models.heatmap import KernelCodec
from train.models.losses import LandmarkLoss
from train.models.output import LandmarkOutput
from train.training.options import RunOptions
from train.training.record import CONFIG as RECORD
from train.training.record import difference, recipe_text


def squares(output: LandmarkOutput, points: Tensor, is_face: Tensor) -> Tensor:
    """Squared error of the points of faces."""
    error = (output.points - points[..., :2]).square().mean(dim=(1, 2))
    return 100 * (error * is_face).sum() / is_face.sum().clamp(min=1)


def absolute(output: LandmarkOutput, points: Tensor, is_face: Tensor) -> Tensor:
    """Absolute error of the points of faces."""
    return ((output.points - points[..., :2]).abs().mean(dim=(1, 2)) * is_face).mean()


class Weighted:
    """A loss with a state, which does not describe itself."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, output: LandmarkOutput, points: Tensor, is_face: Tensor) -> Tensor:
        return self.weight * squares(output, points, is_face)


RECIPE = """
from dataclasses import replace
from tests.train.training.runs import CONFIG as TINY
def mine(output, points, is_face):
    return ((output.points - points).abs().mean(dim=(1, 2)) * is_face).mean()
CONFIG = replace(TINY, loss=LOSS)
"""


def test_a_run_with_a_function_as_loss_resumes_and_ends_with_the_same_weights(
    faces: Faces, fabric: Fabric, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, calls = replace(CONFIG, loss=squares), []

    def interrupted(*_: object) -> float:
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return learning_rate(*_)  # type: ignore[arg-type]

    whole = train(network(), faces, RunOptions(tmp_path / "whole"), fabric, config)
    out = tmp_path / "out"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("train.training.loop.learning_rate", interrupted)
        train(network(), faces, RunOptions(out), fabric, config)
    with pytest.raises(RunError, match=r"another configuration \(loss squares, now absolute\)"):
        train(network(), faces, RunOptions(out, resume=True), fabric, replace(CONFIG, loss=absolute))
    again = train(network(), faces, RunOptions(out, resume=True), fabric, config)
    assert same_weights(again, whole)


@pytest.mark.parametrize(
    "loss", ["mine", "lambda output, points, is_face: 3 * mine(output, points, is_face)"]
)
def test_a_loss_of_a_users_file_is_the_same_in_every_process(tmp_path: Path, loss: str) -> None:
    path = tmp_path / "recipe.py"
    path.write_text(RECIPE.replace("LOSS", loss))
    text = recipe_text(load_config(path))
    code = (
        "import sys; from pathlib import Path\n"
        "from train.configs.loading import load_config\nfrom train.training.record import recipe_text\n"
        "print(recipe_text(load_config(Path(sys.argv[1]))))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == text
    assert "0x" not in text


def test_lambdas_are_compared_by_their_source(faces: Faces, fabric: Fabric, tmp_path: Path) -> None:
    path, out = tmp_path / "recipe.py", tmp_path / "out"
    path.write_text(RECIPE.replace("LOSS", "lambda o, p, f: 3 * mine(o, p, f)"))
    config = load_config(path)
    with pytest.raises(KeyboardInterrupt):
        train(network(), faces, RunOptions(out), fabric, config, StopsAt(3, KeyboardInterrupt()))
    again = load_config(path)
    assert again.loss is not config.loss
    train(network(), faces, RunOptions(out, resume=True), fabric, again)
    path.write_text(RECIPE.replace("LOSS", "lambda o, p, f: 4 * mine(o, p, f)"))
    with pytest.raises(
        RunError, match=r"another configuration \(loss .*3 \* mine.*, now .*4 \* mine"
    ) as caught:
        train(network(), faces, RunOptions(out, resume=True), fabric, load_config(path))
    assert "\n" not in str(caught.value)


def test_a_lambda_without_source_is_refused() -> None:
    loss = eval("lambda output, points, is_face: output.points.mean()")
    with pytest.raises(RunError, match="write it with def"):
        recipe_text(replace(CONFIG, loss=loss))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (squares, absolute, "loss squares, now absolute"),
        (Weighted(1.0), Weighted(2.0), "loss.weight 1.0, now 2.0"),
        (functools.partial(absolute), functools.partial(squares), "loss.partial absolute, now squares"),
        (LandmarkLoss(), LandmarkLoss(map_weight=2), "loss.map_weight 1.0, now 2"),
        (LandmarkLoss(), LandmarkLoss(codec=KernelCodec()), "loss.codec.class HeatmapCodec, now KernelCodec"),
        (Weighted(1.0).__call__, Weighted(2.0).__call__, "loss.of.weight 1.0, now 2.0"),
    ],
)
def test_the_first_difference_of_two_recipes_is_named(
    first: Callable[..., Any], second: Callable[..., Any], expected: str
) -> None:
    before, now = (recipe_text(replace(CONFIG, loss=loss)) for loss in (first, second))
    assert difference(before, now) == expected
    assert difference(before, before) == ""


def test_initial_weights_are_not_compared_and_all_else_is() -> None:
    text = recipe_text(CONFIG)
    assert recipe_text(replace(CONFIG, init="a.onnx")) == text
    for other in ({"seed": 1}, {"recipe": SampleRecipe(background=0.5)}, {"repeats": {"afw": 2}}):
        assert recipe_text(replace(CONFIG, **other)) != text


def test_the_record_tells_how_the_run_was_made(whole_run: WholeRun) -> None:
    record = json.loads((whole_run[0] / RECORD).read_text())
    assert (record["kind"], record["model"], record["seed"]) == ("training run", "tiny", 0)
    assert record["recipe"]["stages"][1]["size"] == 64
    assert record["data"]["training"] == {"afw": 10}
    assert record["data"]["validation"] == 2
    assert len(record["data"]["sha256_of_names_and_labels"]) == 64
    (session,) = record["sessions"]
    assert session["after_epoch"] == 0
    assert session["command"] == shlex.join(sys.orig_argv)
    assert {"python", "torch", "numpy"} <= session["versions"].keys()
    assert session["machine"]["devices"] == 1


def test_each_resumed_part_is_a_session_and_a_complete_run_has_no_more(
    faces: Faces, fabric: Fabric, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(network(), faces, RunOptions(tmp_path), fabric, loss=StopsAt(5, KeyboardInterrupt()))
    for _ in range(2):
        train(network(), faces, RunOptions(tmp_path, resume=True), fabric)
    record = json.loads((tmp_path / RECORD).read_text())
    assert [session["after_epoch"] for session in record["sessions"]] == [0, 2]
    assert same_weights(network(), network())
