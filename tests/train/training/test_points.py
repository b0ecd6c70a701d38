"""Training on pictures of one's own: what is taken, what is new, and what the record tells an export."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import cv2
import onnx
import torch
from safetensors.torch import save_file

from tests.own_models import write_spot_model
from tests.train.data.own_pictures import KITE, kites, write_labels, write_pictures
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.plain import to_plain
from tracker.scheme.value import CropRule, Scheme, plain_scheme
from train.config import Stage, TrainConfig
from train.configs.points import NETWORKS, points_config
from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import FaceCrops, SampleRecipe
from train.data.own_split import OwnData
from train.errors import RunError
from train.evaluation.points import point_scores
from train.evaluation.points_card import write_card
from train.models import trained as told
from train.models.load import Loaded, load_network, shipped_weights
from train.models.registry import HEADS, OF_ANY_SCHEME, build
from train.models.trained import (
    FROM_SHIPPED,
    MODEL_KEY,
    Trained,
    goes_back_to_shipped,
    load_trained,
    scheme_of_weights,
)
from train.training.landmarks import initial_network
from train.training.options import RunOptions
from train.training.points import error_unit, train_points
from train.training.predictions import PREDICTIONS, write_predictions


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> OwnData:
    """Twelve pictures of kites, labelled in a table."""
    folder = tmp_path_factory.mktemp("kites")
    write_pictures(folder, list(kites(12)))
    write_labels(folder, ".csv", kites(12))
    return OwnData(folder, "0.4")


@pytest.mark.parametrize("model", OF_ANY_SCHEME)
def test_every_network_locates_as_many_points_as_it_is_asked_for(model: str) -> None:
    network = build(model, 5).eval()
    with torch.inference_mode():
        assert network(torch.zeros(1, 1, 64, 64, dtype=torch.uint8)).points.shape == (1, 5, 2)
    own, shipped = network.state_dict(), build(model).state_dict()
    assert own.keys() == shipped.keys()
    differ = {name for name, tensor in own.items() if tensor.shape != shipped[name].shape}
    assert differ
    assert all(name.startswith(HEADS[model]) for name in differ)


def test_a_network_with_points_of_its_own_is_refused_another_number() -> None:
    with pytest.raises(RunError, match="face58 locates points of its own: choose one of resnet18"):
        build("face58", 5)


@pytest.mark.parametrize("network", ["resnet18", "unet-light"])
def test_the_trunk_of_the_shipped_model_is_taken_and_the_points_are_new(own: OwnData, network: str) -> None:
    said: list[str] = []
    config = replace(points_config(network, 9), init=str(shipped_weights(network)))
    faces = own.read(KITE).training
    started = initial_network(config, faces, said.append, in_part=True, scheme=KITE)().eval()
    crops = FaceCrops(faces, config.stages[0].size, scheme=KITE)
    batch = torch.stack([crops[i][0] for i in range(4)])
    shipped = load_network(network).network
    seen: dict[str, list[torch.Tensor]] = {"own": [], "shipped": []}
    for name, model in (("own", started), ("shipped", shipped)):
        last = dict(model.named_modules())[HEADS[network][0].removesuffix(".")]
        last.register_forward_pre_hook(lambda _, inputs, name=name: seen[name].append(inputs[0]))
        with torch.inference_mode():
            model(batch)
    torch.testing.assert_close(seen["own"][0], seen["shipped"][0], rtol=1e-3, atol=1e-3)
    assert "% of the weights; new: " in said[0]
    assert said[0].endswith("for the points of kite (5 points)")


def test_points_that_are_those_of_the_file_are_taken_as_well(tmp_path: Path, own: OwnData) -> None:
    trained = build("unet-light", 5).state_dict()
    fitted = replace(KITE, crop=CropRule(box_margin=2.0))  # as an export does
    record = json.dumps({"scheme": to_plain(fitted), "model": "unet-light"})
    save_file(trained, tmp_path / "own.safetensors", metadata={"size": "96", "run": record})
    config = replace(points_config("unet-light", 9), init=str(tmp_path / "own.safetensors"))
    said: list[str] = []
    state = initial_network(config, own.read(KITE).training, said.append, True, KITE)().state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in trained.items())
    assert said[0].endswith("100 % of the weights")
    other = plain_scheme("other", 5)
    state = initial_network(config, own.read(other).training, said.append, True, other)().state_dict()
    assert not torch.equal(state["maps.weight"], trained["maps.weight"])
    assert torch.equal(state["encoder1.enc1conv1.weight"], trained["encoder1.enc1conv1.weight"])


def test_a_file_of_torch_is_said_to_be_taken_for_one_of_ibugs_points(tmp_path: Path, own: OwnData) -> None:
    trained, said = {68: build("unet-light"), 5: build("unet-light", 5)}, list[str]()
    for count, network in trained.items():
        torch.save(network.state_dict(), tmp_path / f"{count}.pt")
    config = replace(points_config("unet-light", 9), init=str(tmp_path / "68.pt"))
    state = initial_network(config, [], said.append, True, IBUG68)().state_dict()
    assert torch.equal(state["maps.weight"], trained[68].state_dict()["maps.weight"])
    config = replace(config, init=str(tmp_path / "5.pt"))
    state = initial_network(config, own.read(KITE).training, said.append, True, KITE)().state_dict()
    assert not torch.equal(state["maps.weight"], trained[5].state_dict()["maps.weight"])
    assert "tensors, 100 % of the weights; a .pt file does not tell its scheme: it is taken for" in said[0]
    assert said[1].endswith(
        "new: maps and presence, for the points of kite (5 points); a .pt file does not "
        "tell its scheme: it is taken for ibug68 (68 points)"
    )


def test_a_checkpoint_is_no_weights_of_own_points(tmp_path: Path) -> None:
    for read in (scheme_of_weights, load_trained):
        with pytest.raises(RunError, match=r"last\.ckpt does not tell its scheme: give the \.safetensors"):
            read(tmp_path / "last.ckpt")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"own": {"shipped": True}}, True),
        ({"own": {"init": "shipped"}}, True),
        ({"own": {"shipped": False}}, False),
        ({FROM_SHIPPED: True, "recipe": {"init": "before.onnx"}}, True),
        ({FROM_SHIPPED: False, "recipe": {"init": "weights/unet-light.onnx"}}, False),
        ({"recipe": {"init": "weights/unet-light.onnx"}}, True),
        ({"recipe": {"init": "imagenet"}}, False),
        ({"recipe": {"init": ""}}, False),
        ({"own": [], "recipe": None}, False),
        ({}, False),
    ],
)
def test_weights_tell_whether_they_go_back_to_a_shipped_model(
    tmp_path: Path, record: dict[str, object], expected: bool
) -> None:
    path = tmp_path / "own.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"size": "96", "run": json.dumps(record)})
    assert goes_back_to_shipped(path) is expected


def test_a_shipped_model_is_known_by_its_content_and_an_exported_one_by_what_it_tells(tmp_path: Path) -> None:
    (tmp_path / "before.onnx").write_bytes(shipped_weights("unet-light").read_bytes())
    assert goes_back_to_shipped(tmp_path / "before.onnx")
    for started, expected in (
        ("shipped", True),
        ("a file that goes back to a shipped model", True),
        ("", False),
    ):
        about = {"training": {"started_from": started}}
        assert goes_back_to_shipped(write_spot_model(tmp_path / "own.onnx", about=about)) is expected
    assert not goes_back_to_shipped(write_spot_model(tmp_path / "own.onnx"))
    with pytest.raises(RunError, match=r"--init \S+gone\.onnx cannot be read: No such file"):
        goes_back_to_shipped(tmp_path / "gone.onnx")


@pytest.mark.parametrize(
    "said", ["no json", "[]", '"shipped"', '{"training": "shipped"}', '{"training": null}']
)
def test_odd_metadata_of_a_model_are_refused_in_one_line(tmp_path: Path, said: str) -> None:
    path = write_spot_model(tmp_path / "own.onnx")
    model = onnx.load(path)
    del model.metadata_props[:]
    model.metadata_props.add(key=MODEL_KEY, value=said)
    onnx.save(model, path)
    with pytest.raises(
        RunError, match=r"--init \S+own\.onnx: its metadata tracker\.model cannot be used: export"
    ):
        goes_back_to_shipped(path)


def test_a_manifest_that_cannot_be_read_is_named_with_what_puts_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "WEIGHTS", tmp_path)
    path = write_spot_model(tmp_path / "own.onnx")
    with pytest.raises(RunError, match=r"^\S+manifest\.json cannot be read: No such file .*; (git|pip) "):
        goes_back_to_shipped(path)
    (tmp_path / "manifest.json").write_bytes(b"\xff")
    with pytest.raises(RunError, match=r"^\S+manifest\.json cannot be read: .*; (git|pip) "):
        goes_back_to_shipped(path)


def test_files_without_a_scheme_are_of_ibugs_points(tmp_path: Path) -> None:
    assert scheme_of_weights(shipped_weights("unet-light")) is IBUG68
    assert scheme_of_weights(tmp_path / "unet.pt") is None
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    assert scheme_of_weights(tmp_path / "a.safetensors") is IBUG68
    for run in ("[]", "no json", '{"scheme": {"name": "x"}}'):
        save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors", metadata={"run": run})
        if run != "[]":
            with pytest.raises(RunError, match=r"a\.safetensors"):
                scheme_of_weights(tmp_path / "a.safetensors")
    for name in ("bad.onnx", "bad.safetensors", "missing.onnx", "missing.safetensors"):
        if name.startswith("bad"):
            (tmp_path / name).write_bytes(b"nothing")
        with pytest.raises(RunError, match=name):
            scheme_of_weights(tmp_path / name)


def tiny_run(own: OwnData, scheme: Scheme, out: Path, said: list[str]) -> Path:
    config = replace(points_config("unet-light", 9), stages=(Stage(32, 2, 1e-3),), precision="32-true")
    config = replace(config, init="none", batch_size=4)
    path = train_points(config, own, own.read(scheme), scheme, RunOptions(out, threads=1), said.append)
    assert path is not None
    return path


def test_a_run_ends_with_weights_that_know_their_scheme_and_a_sheet_and_a_card(
    own: OwnData, tmp_path: Path
) -> None:
    said: list[str] = []
    trained = load_trained(tiny_run(own, KITE, tmp_path / "run", said))
    assert (trained.model, trained.scheme) == ("unet-light", KITE)
    assert "pictures whose name has a CRC-32 in the lowest 40 % validate" in said[0]
    rule = trained.record["own"]
    assert OwnData(Path(rule["source"]), rule["validation"], rule["person"]) == own
    assert cv2.imread(str(tmp_path / "run" / PREDICTIONS)) is not None
    validation = own.read(KITE).validation
    scores = point_scores(trained, validation)
    assert len(scores.nme) == len(validation)
    assert scores.unit == "% of the box"
    card = write_card(tmp_path / "run", trained, scores).read_text("utf-8")
    for text in (
        "# kite",
        f"{len(validation)} faces",
        "Start: random numbers",
        "| mean error (NME) |",
        "2 epochs",
    ):
        assert text in card


def test_the_scores_are_those_of_the_definition(own: OwnData) -> None:
    """A network that always answers with the mean label has errors that can be computed by hand."""
    scheme = replace(KITE, normaliser=(1, 3), parts={"tip": (0,), "rest": (1, 2, 3, 4)})
    faces = own.read(scheme).validation
    crops = FaceCrops(faces, 32, scheme=scheme)
    truth = torch.stack([crops[i][1] for i in range(len(crops))])

    class Constant(torch.nn.Module):
        def forward(self, crop: torch.Tensor) -> object:
            from train.models.output import LandmarkOutput

            return LandmarkOutput(truth.mean(dim=0).expand(len(crop), -1, -1))

    scores = point_scores(Trained("constant", scheme, Loaded(Constant(), 32), {}), faces)
    apart = (truth - truth.mean(dim=0)).norm(dim=2) / (truth[:, 1] - truth[:, 3]).norm(dim=1)[:, None]
    np.testing.assert_allclose(scores.nme, 100 * apart.mean(dim=1), rtol=1e-5)
    np.testing.assert_allclose(scores.parts["tip"], 100 * apart[:, 0].mean(), rtol=1e-5)
    assert error_unit(scheme) == scores.unit == "% of right-left"
    assert error_unit(replace(scheme, names=())) == "% of the distance 1-3"
    assert scores.worst[0][1] == pytest.approx(float(scores.nme.max()))


def test_predictions_far_away_are_drawn_at_the_edge(own: OwnData, tmp_path: Path) -> None:
    class Far(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.far = torch.nn.Parameter(torch.full((1, 5, 2), 1e30))

        def forward(self, crop: torch.Tensor) -> object:
            from train.models.output import LandmarkOutput

            return LandmarkOutput(self.far.expand(len(crop), -1, -1))

    crops = FaceCrops(own.read(KITE).validation[:1], 32, scheme=KITE)
    write_predictions(Far(), crops, tmp_path, 1, KITE)
    assert cv2.imread(str(tmp_path / PREDICTIONS)) is not None


PLAIN = SampleRecipe(
    GeometryPolicy(0, 0, 0, 0, 0, 0, mirror=1.0), PhotometricPolicy(0, 0, 0, 0, 0, 0, 0), background=0
)


def test_mirrored_samples_have_their_points_in_the_schemes_order(own: OwnData) -> None:
    faces = own.read(KITE).training
    plain, mirrored = FaceCrops(faces, 64, scheme=KITE)[0], FaceCrops(faces, 64, PLAIN, scheme=KITE)[0]
    assert torch.equal(mirrored[0], plain[0].flip(2))
    assert KITE.mirror is not None
    torch.testing.assert_close(mirrored[1], plain[1][list(KITE.mirror)] * torch.tensor([-1.0, 1.0]))


def test_without_a_mirror_order_nothing_is_mirrored(own: OwnData) -> None:
    scheme = replace(KITE, mirror=None)
    faces = own.read(scheme).training
    plain, sample = FaceCrops(faces, 64, scheme=scheme)[0], FaceCrops(faces, 64, PLAIN, scheme=scheme)[0]
    assert all(torch.equal(a, b) for a, b in zip(plain, sample, strict=True))


@pytest.mark.parametrize("network", NETWORKS)
def test_epochs_fit_the_number_of_pictures(network: str) -> None:
    configs: list[TrainConfig] = [points_config(network, count) for count in (1, 50, 500, 5000, 10**6)]
    assert [config.epochs for config in configs] == [400, 396, 125, 40, 20]
    assert all(len(config.stages) == 1 and not config.sets for config in configs)
