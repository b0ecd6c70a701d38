import csv
import subprocess
import sys
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from tests.train.cli.runner import Runner, dry_run, is_one_line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "model"),
    [
        (("nose", "--variant", "funnel"), "nose-funnel"),
        (("nose", "--variant", "fan"), "nose-fan"),
        (("face58",), "face58"),
    ],
)
def test_a_dry_run_writes_weights_that_reload(
    run: Runner, tiny_imm: Path, tmp_path: Path, command: tuple[str, ...], model: str
) -> None:
    pytest.importorskip("torch")
    from train.configs.loading import shipped_config
    from train.models.imm import SPECS
    from train.models.load import load_network

    weights = tmp_path / "out" / f"{model}.safetensors"
    code, out, _ = run(*command, *dry_run(tiny_imm, tmp_path / "out", "--seed", 3))
    assert code == 0
    assert out.replace("\n", "").endswith(str(weights))
    assert load_network(model, weights).size == SPECS[model].size
    with (tmp_path / "out" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    # The network before training, and one epoch of each stage.
    assert len(rows) == 1 + len(shipped_config(model.partition("-")[0]).stages)
    assert all(float(row["validation_error"]) > 0 for row in rows)


@pytest.mark.slow
def test_in_a_final_run_nobody_validates(
    run: Runner, tiny_imm: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("torch")
    for name, more in (("plain", ()), ("final", ("--final",))):
        assert run("nose", "--variant", "fan", *dry_run(tiny_imm, tmp_path / name, *more))[0] == 0
    errors = []
    for name in ("plain", "final"):
        with (tmp_path / name / "log.csv").open(newline="") as file:
            errors.append([float(row["validation_error"]) for row in csv.DictReader(file)])
    assert np.isfinite(errors[0]).all()
    assert np.isnan(errors[1]).all()
    assert "no picture of this data validates" not in caplog.text
    code, _, err = run(
        "nose", "--variant", "fan", *dry_run(tiny_imm, tmp_path / "plain", "--final", "--resume")
    )
    assert code == 1
    assert "trained on other pictures" in err


@pytest.mark.slow
def test_ctrl_c_exits_130_and_says_how_to_go_on(
    run: Runner, tiny_imm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from train.models.losses import LandmarkLoss

    def interrupted(*_: object) -> Never:
        raise KeyboardInterrupt

    monkeypatch.setattr(LandmarkLoss, "with_terms", interrupted)
    for command, hint in (
        (("nose", "--variant", "fan"), "with --resume goes on"),
        (("compare-nose",), "goes on"),
    ):
        code, _, err = run(*command, *dry_run(tiny_imm, tmp_path / command[0]))
        assert code == 130
        assert f"kept in {tmp_path / command[0]}: the same command {hint}" in err
        assert "Traceback" not in err


def test_unusable_inputs_are_refused_in_one_line(run: Runner, tiny_imm: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "empty").mkdir()
    config = tmp_path / "config.py"
    config.write_text("from train.configs.resnet18 import CONFIG\n")
    for arguments, expected in (
        (("nose", "--variant", "fan", *dry_run(tmp_path / "empty", tmp_path / "a")), "no .asf files"),
        (("face58", *dry_run(tmp_path / "nowhere", tmp_path / "b")), "no .asf files"),
        (("compare-nose", *dry_run(tmp_path / "empty", tmp_path / "c")), "no .asf files"),
        (("face58", *dry_run(tiny_imm, tmp_path / "d", "--config", config)), "pictures of 240 pixels"),
    ):
        code, _, err = run(*arguments)
        assert code == 1
        assert is_one_line(err)
        assert expected in err


def test_usage_errors_exit_with_2(run: Runner, tiny_imm: Path) -> None:
    for arguments in (
        ("nose", "--data", tiny_imm),
        ("nose", "--data", tiny_imm, "--variant", "cone"),
        ("face58",),
        ("compare-nose", "--data", tiny_imm, "--seeds", 0),
    ):
        assert run(*arguments)[0] == 2


def test_the_commands_load_no_torch_before_they_run() -> None:
    modules = ", ".join(f"train.cli.{name}" for name in ("compare_nose", "face58", "nose"))
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
