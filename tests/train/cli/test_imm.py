import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Never

import pytest

from tests.tiny import write_300w
from tests.train.cli.runner import Runner
from tests.train.imm_files import write_imm
from train.cli.nose import Variant


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_300w(write_imm(tmp_path_factory.mktemp("imm")))


def dry_run(data: Path, out: Path, *more: object) -> tuple[object, ...]:
    return ("--data", data, "--out", out, "--limit", 64, "--epochs", 1, "--threads", 1, *more)


@pytest.mark.parametrize(
    ("command", "model"),
    [
        (("nose", "--variant", "funnel"), "nose-funnel"),
        (("nose", "--variant", "fan"), "nose-fan"),
        (("face58",), "face58"),
    ],
)
def test_a_dry_run_writes_weights_that_reload(
    run: Runner, data: Path, tmp_path: Path, command: tuple[str, ...], model: str
) -> None:
    pytest.importorskip("torch")
    from train.configs.loading import shipped_config
    from train.models.imm import SPECS
    from train.models.load import load_network

    weights = tmp_path / "out" / f"{model}.safetensors"
    code, out, _ = run(*command, *dry_run(data, tmp_path / "out", "--seed", 3))
    assert code == 0
    assert out.replace("\n", "").endswith(str(weights))
    assert load_network(model, weights).size == SPECS[model].size
    with (tmp_path / "out" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(shipped_config(model.partition("-")[0]).stages)  # one epoch of each
    assert all(float(row["validation_error"]) > 0 for row in rows)


def test_tuning_validates_on_other_people(run: Runner, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    for name, more in (("plain", ()), ("tuning", ("--tuning",))):
        assert run("nose", "--variant", "fan", *dry_run(data, tmp_path / name, *more))[0] == 0
    errors = []
    for name in ("plain", "tuning"):
        with (tmp_path / name / "log.csv").open(newline="") as file:
            errors.append([float(row["validation_error"]) for row in csv.DictReader(file)])
    assert errors[0] != errors[1]
    code, _, err = run("nose", "--variant", "fan", *dry_run(data, tmp_path / "plain", "--tuning", "--resume"))
    assert code == 1
    assert "trained on other pictures" in err


def test_the_comparison_is_printed_and_written(run: Runner, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    out = tmp_path / "nose"
    arguments = ("compare-nose", *dry_run(data, out, "--seeds", 2))
    code, printed, _ = run(*arguments)
    assert code == 0
    content = json.loads((out / "comparison.json").read_text())
    assert content["validation_people"] == "33-40"
    assert [(r["variant"], r["seed"]) for r in content["runs"]] == [
        ("funnel", 0),
        ("fan", 0),
        ("funnel", 1),
        ("fan", 1),
    ]
    for row in content["summary"]:
        own = [r["mean_px"] for r in content["runs"] if r["variant"] == row["variant"]]
        assert row["mean_px"]["mean"] == pytest.approx(sum(own) / 2)
        assert row["mean_px"]["std"] == pytest.approx(abs(own[0] - own[1]) / 2**0.5)
        assert f"{row['mean_px']['mean']:.2f} ± {row['mean_px']['std']:.2f}" in printed
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == [
        "fan-0-first64",
        "fan-1-first64",
        "funnel-0-first64",
        "funnel-1-first64",
    ]
    assert run(*arguments)[0] == 0  # again: nothing is refused as being there already
    assert json.loads((out / "comparison.json").read_text()) == content


def test_one_seed_has_no_deviation(run: Runner, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    code, printed, _ = run("compare-nose", *dry_run(data, tmp_path, "--seeds", 1))
    assert code == 0
    assert "± -" in printed
    content = json.loads((tmp_path / "comparison.json").read_text())
    assert [row["mean_px"]["std"] for row in content["summary"]] == [None, None]


def test_ctrl_c_exits_130_and_says_how_to_go_on(
    run: Runner, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from train.models.losses import LandmarkLoss

    def interrupted(*_: object) -> Never:
        raise KeyboardInterrupt

    monkeypatch.setattr(LandmarkLoss, "__call__", interrupted)
    for command, hint in (
        (("nose", "--variant", "fan"), "with --resume goes on"),
        (("face58",), "with --resume goes on"),
        (("compare-nose",), "goes on"),
    ):
        code, _, err = run(*command, *dry_run(data, tmp_path / command[0]))
        assert code == 130
        assert f"kept in {tmp_path / command[0]}: the same command {hint}" in err
        assert "Traceback" not in err


def test_unusable_inputs_are_refused_in_one_line(run: Runner, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "empty").mkdir()
    config = tmp_path / "config.py"
    config.write_text("from train.configs.resnet18 import CONFIG\n")
    for arguments, expected in (
        (("nose", "--variant", "fan", *dry_run(tmp_path / "empty", tmp_path / "a")), "no .asf files"),
        (("face58", *dry_run(tmp_path / "nowhere", tmp_path / "b")), "no .asf files"),
        (("compare-nose", *dry_run(tmp_path / "empty", tmp_path / "c")), "no .asf files"),
        (("face58", *dry_run(data, tmp_path / "d", "--config", config)), "pictures of 240 pixels"),
    ):
        code, _, err = run(*arguments)
        assert code == 1
        assert err.startswith("train: ")
        assert err.count("\n") == 1
        assert expected in err


def test_usage_errors_exit_with_2(run: Runner, data: Path) -> None:
    for arguments in (
        ("nose", "--data", data),
        ("nose", "--data", data, "--variant", "cone"),
        ("face58",),
        ("compare-nose", "--data", data, "--seeds", 0),
    ):
        assert run(*arguments)[0] == 2


def test_the_command_offers_all_variants() -> None:
    pytest.importorskip("torch")
    from train.models.imm import SPECS
    from train.studies.noses import VARIANTS

    assert tuple(Variant) == VARIANTS
    assert {f"nose-{variant}" for variant in Variant} == {name for name in SPECS if name.startswith("nose-")}


def test_the_commands_load_no_torch_before_they_run() -> None:
    modules = ", ".join(f"train.cli.{name}" for name in ("compare_nose", "face58", "nose"))
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
