import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Never

import pytest
import torch

from tests.train.cli.runner import Runner, dry_run, is_one_line
from train.cli import main as cli
from train.configs import nose
from train.training import run as running


def test_usage_errors_exit_with_2(run: Runner, tiny_300w: Path) -> None:
    for arguments in (
        ["evaluate", "nobody", "--data", tiny_300w],
        ["nose", "--data", tiny_300w],
        ["resnet18"],
        ["resnet18", "--data", tiny_300w, "--seed", "-1"],
        ["resnet18", "--data", tiny_300w, "--limit", "-1"],
        ["face99"],
    ):
        assert run(*arguments)[0] == 2


def test_commands_that_need_maps_refuse_networks_without_maps(
    run: Runner, tiny_300w: Path, tmp_path: Path
) -> None:
    image = tmp_path / "a.png"
    for arguments in (
        ("quality", "face58", "--data", tiny_300w),
        ("pictures", "nose-fan", "--image", image, "--out", tmp_path / "out"),
        ("pseudo-label", "--data", tiny_300w, "--teacher", "face58", "--out", tmp_path / "p.jsonl"),
    ):
        code, _, err = run(*arguments)
        assert code == 1
        assert is_one_line(err)
        assert "draws no maps" in err
    assert list(tmp_path.iterdir()) == []


def test_help_loads_no_torch() -> None:
    """Help must be quick."""
    code = (
        "import sys; from train.cli import main as cli\n"
        "for command in ('resnet18', 'resnet18-plain', 'unet', 'unet-mri', 'nose', 'face58',\n"
        "                'compare-nose', 'evaluate', 'check-leaks', 'compare-losses', 'unet-light',\n"
        "                'quality', 'pictures', 'pseudo-label'):\n"
        "    sys.argv = ['train', command, '--help']\n"
        "    try: cli.main()\n"
        "    except SystemExit as left: assert left.code == 0, left.code\n"
        "assert 'torch' not in sys.modules and 'lightning_fabric' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.fixture(scope="module")
def trained(tiny_300w: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a real ResNet18 dry run: 8 faces, one epoch."""
    pytest.importorskip("torch")
    out = tmp_path_factory.mktemp("runs") / "resnet18"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train", *map(str, ("resnet18", *dry_run(tiny_300w, out)))])
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert left.value.code == 0
    return out


@pytest.mark.slow
def test_a_dry_run_writes_weights_that_the_network_takes(trained: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file

    from train.models.resnet18 import ResNet18Landmarks

    assert sorted(p.name for p in trained.iterdir()) == [
        "config.json",
        "curves.png",
        "last.ckpt",
        "log.csv",
        "resnet18.safetensors",
        "samples-augmented.png",
        "samples-plain.png",
        "tensorboard",
    ]
    network = ResNet18Landmarks()
    network.load_state_dict(load_file(trained / "resnet18.safetensors"), strict=True)
    # A header, the network before training and one epoch.
    assert len((trained / "log.csv").read_text().splitlines()) == 3
    with safe_open(trained / "resnet18.safetensors", "pt") as file:
        assert file.metadata()["size"] == "128"
        assert file.metadata()["run"] == (trained / "config.json").read_text()


@pytest.mark.slow
def test_a_run_in_a_folder_with_other_files_is_refused(run: Runner, tiny_300w: Path, tmp_path: Path) -> None:
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "events.out.tfevents.1.other").write_text("of another run")
    code, _, err = run("resnet18", *dry_run(tiny_300w, tmp_path))
    assert code == 1
    assert is_one_line(err)
    assert f"give it --out {tmp_path}-2" in err
    assert [path.name for path in tmp_path.rglob("*")] == ["tensorboard", "events.out.tfevents.1.other"]


@pytest.mark.slow
def test_values_of_the_recipe_are_options(run: Runner, tiny_300w: Path, tmp_path: Path) -> None:
    options = (
        "--batch-size",
        4,
        "--lr",
        "1e-3",
        "--size",
        64,
        "--set",
        "ema_decay=0.9",
        "--set",
        "optimizer=sgd",
    )
    assert run("resnet18", *dry_run(tiny_300w, tmp_path / "out", *options))[0] == 0
    recipe = json.loads((tmp_path / "out" / "config.json").read_text())["recipe"]
    assert recipe["stages"] == [{"class": "Stage", "size": 64, "epochs": 1, "peak_lr": 1e-3, "sets": []}]
    assert (recipe["batch_size"], recipe["ema_decay"], recipe["optimizer"]) == (4, 0.9, "sgd")
    for wrong, expected in ((("--set", "ema=1"), "choose one of model"), (("--size", 70), "multiples of 32")):
        code, _, err = run("resnet18", *dry_run(tiny_300w, tmp_path / "b", *wrong))
        assert code == 1
        assert is_one_line(err)
        assert expected in err
    assert run("resnet18", *dry_run(tiny_300w, tmp_path / "b", "--lr", 0))[0] == 2


@pytest.mark.slow
@pytest.mark.parametrize(("model", "side"), [("unet", 34), ("unet-mri", 66)])
def test_a_dry_run_of_a_unet_writes_weights_that_the_network_takes(
    run: Runner, tiny_300w: Path, tmp_path: Path, model: str, side: int
) -> None:
    """The shipped recipe, at small crops."""
    pytest.importorskip("torch")
    from train.models.load import load_network

    recipe, out = tmp_path / "small.py", tmp_path / "out"
    recipe.write_text(
        "from dataclasses import replace\n"
        f"from train.configs.{model.replace('-', '_')} import CONFIG as SHIPPED\n"
        "stages = tuple(replace(stage, size=64) for stage in SHIPPED.stages[-1:])\n"
        "CONFIG = replace(SHIPPED, stages=stages)\n"
    )
    code, printed, _ = run(model, "--config", recipe, *dry_run(tiny_300w, out))
    assert code == 0
    weights = out / f"{model}.safetensors"
    assert printed.replace("\n", "").endswith(str(weights))
    loaded = load_network(model, weights)
    assert loaded.size == 64
    assert loaded.network(torch.zeros(1, 1, 64, 64)).maps.shape == (1, 68, side, side)


@pytest.mark.slow
def test_the_plain_resnet_is_trained_and_evaluated(run: Runner, tiny_300w: Path, tmp_path: Path) -> None:
    """The shipped recipe, at small crops, then its figures on the test faces."""
    pytest.importorskip("torch")
    recipe, out, scores = tmp_path / "small.py", tmp_path / "out", tmp_path / "scores.json"
    recipe.write_text(
        "from dataclasses import replace\n"
        "from train.configs.resnet18_plain import CONFIG as SHIPPED\n"
        "CONFIG = replace(SHIPPED, stages=(replace(SHIPPED.stages[0], size=64),))\n"
    )
    code, _, _ = run("resnet18-plain", "--config", recipe, *dry_run(tiny_300w, out))
    assert code == 0
    weights = out / "resnet18-plain.safetensors"
    code, printed, err = run(
        "evaluate", "resnet18-plain", "--data", tiny_300w, "--weights", weights, "--json", scores
    )
    assert (code, "label box" in printed) == (0, True), err
    assert json.loads(scores.read_text())["model"] == "resnet18-plain"


def test_help_names_the_model_and_its_file(run: Runner) -> None:
    for model in ("resnet18", "resnet18-plain", "unet", "unet-mri"):
        code, printed, _ = run(model, "--help")
        text = " ".join(printed.replace("│", " ").split())
        assert code == 0
        assert text.count("Train the") == 1
        assert f"write its weights to OUT/{model}.safetensors. " in text


@pytest.mark.slow
def test_init_reports_how_many_tensors_of_the_file_it_used(
    run: Runner, tiny_300w: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.train.models.test_unet import brain_mri

    monkeypatch.setattr(running, "train", lambda _config, model, *_: model)
    torch.save(brain_mri(), tmp_path / "unet.pt")
    out = tmp_path / "out"
    out.mkdir()
    code, _, err = run("unet-mri", *dry_run(tiny_300w, out, "--init", tmp_path / "unet.pt"))
    assert code == 0
    state = len(brain_mri()) - 2
    assert f"unet.pt gives {state} of {state + 4} tensors" in " ".join(err.split())
    code, _, err = run("resnet18", *dry_run(tiny_300w, out, "--init", tmp_path / "unet.pt"))
    assert code == 1
    assert is_one_line(err)
    assert "shares no weights" in err


@pytest.mark.slow
def test_a_start_from_a_small_part_is_refused_unless_it_is_wanted(
    run: Runner, tiny_300w: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train.models.registry import build

    monkeypatch.setattr(running, "train", lambda _config, model, *_: model)
    state, out = build("unet-light").state_dict(), tmp_path / "out"
    out.mkdir()
    part = {name: tensor for name, tensor in state.items() if name.startswith("encoder2.")}
    torch.save({"state_dict": part}, tmp_path / "part.pt")
    config = tmp_path / "config.py"
    config.write_text(
        "from train.config import Stage, TrainConfig\n"
        "CONFIG = TrainConfig('unet-light', (Stage(64, 1, 1e-3),))\n"
    )
    options = dry_run(tiny_300w, out, "--init", tmp_path / "part.pt", "--config", config)
    code, _, err = run("unet-light", *options)
    assert code == 1
    assert is_one_line(err)
    assert "--partial" in err
    code, _, err = run("unet-light", *options, "--partial")
    assert code == 0
    assert f"gives {len(part)} of {len(state)} tensors" in " ".join(err.split())


@pytest.mark.slow
def test_a_complete_run_resumed_only_writes_its_weights_again(
    run: Runner, tiny_300w: Path, trained: Path
) -> None:
    weights = trained / "resnet18.safetensors"
    before, log = weights.read_bytes(), (trained / "log.csv").read_bytes()
    weights.unlink()
    assert run("resnet18", *dry_run(tiny_300w, trained, "--resume"))[0] == 0
    assert weights.read_bytes() == before
    assert (trained / "log.csv").read_bytes() == log


@pytest.mark.slow
def test_unusable_inputs_are_refused_in_one_line(
    run: Runner, tiny_300w: Path, trained: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "last.ckpt").write_bytes((trained / "last.ckpt").read_bytes()[:5000])
    for arguments, expected in [
        (("resnet18", *dry_run(tmp_path / "nothing", tmp_path / "out")), "300-W folders"),
        (("resnet18", *dry_run(tiny_300w, trained)), "--resume"),
        (("resnet18", *dry_run(tiny_300w, trained, "--limit", 9, "--resume")), "other pictures"),
        (("resnet18", *dry_run(tiny_300w, tmp_path / "o", "--init", tiny_300w / "none.onnx")), "none.onnx"),
        (("resnet18", *dry_run(tiny_300w, tmp_path / "o", "--config", nose.__file__)), "is for nose-funnel"),
        (("resnet18", *dry_run(tiny_300w, trained, "--resume"), "--epochs", 2), "another configuration"),
        (("resnet18", *dry_run(tiny_300w, damaged, "--resume")), "not a readable checkpoint"),
        (
            ("resnet18", *dry_run(tiny_300w, tiny_300w / "300w" / "afw" / "afw_0000_1.pts" / "out")),
            "choose another --out",
        ),
    ]:
        code, _, err = run(*arguments)
        assert code == 1
        assert is_one_line(err)
        assert expected in err


@pytest.mark.slow
def test_a_run_starts_from_trained_weights_and_resumes_without_them(
    run: Runner, tiny_300w: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train.models.load import load_network

    first, out = tmp_path / "first.safetensors", tmp_path / "out"
    shutil.copy(trained / "resnet18.safetensors", first)
    with monkeypatch.context() as patch:
        patch.setattr(running, "train", lambda _config, model, *_: model)  # the network before its first step
        out.mkdir()
        assert run("resnet18", *dry_run(tiny_300w, out, "--init", first))[0] == 0
    started = load_network("resnet18", out / "resnet18.safetensors").network.state_dict()
    for name, tensor in load_network("resnet18", first).network.state_dict().items():
        assert torch.equal(started[name], tensor), name
    (out / "resnet18.safetensors").unlink()
    assert run("resnet18", *dry_run(tiny_300w, out, "--init", first))[0] == 0
    first.unlink()
    assert run("resnet18", *dry_run(tiny_300w, out, "--init", first, "--resume"))[0] == 0


@pytest.mark.slow
def test_the_seed_of_the_recipe_sets_the_initial_weights(
    run: Runner, tiny_300w: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "train", lambda _config, model, *_: model)
    for name, more in (("a", ()), ("b", ()), ("c", ("--seed", 7))):
        (tmp_path / name).mkdir()
        assert run("resnet18", *dry_run(tiny_300w, tmp_path / name, *more))[0] == 0
    first, second, other = ((tmp_path / name / "resnet18.safetensors").read_bytes() for name in "abc")
    assert first == second != other


def test_ctrl_c_exits_130_and_says_how_to_go_on(
    run: Runner, tiny_300w: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from train.models.losses import LandmarkLoss

    def interrupted(*_: object) -> Never:
        raise KeyboardInterrupt

    monkeypatch.setattr(LandmarkLoss, "with_terms", interrupted)
    code, _, err = run("resnet18", *dry_run(tiny_300w, tmp_path / "out"))
    assert code == 130
    assert f"kept in {tmp_path / 'out'}: the same command with --resume goes on" in err
    assert "Traceback" not in err
