"""Wrong usage of the commands for points of one's own: one line that names the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.train.cli.runner import Runner, is_one_line
from tests.train.data.own_pictures import kites, write_labels, write_pictures

TOML = 'name = "kite"\nn_points = 5\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight labelled pictures and the scheme ``kite.toml``."""
    write_pictures(tmp_path, list(kites(8)))
    write_labels(tmp_path, ".csv", kites(8))
    (tmp_path / "kite.toml").write_text(TOML)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--scheme", "none"), "train: --scheme none: unknown scheme 'none': choose one of ibug68"),
        (("--scheme", "missing.toml"), "train: --scheme missing.toml cannot be read"),
        (
            ("--scheme", "kite.toml", "--network", "resnet18-plain"),
            "choose one of resnet18, unet, unet-light",
        ),
        (("--scheme", "kite.toml", "--validation", "2"), "a share lies between 0 and 1"),
        (("--scheme", "ibug68"), "the header lacks x5"),
        (("--scheme", "kite.toml", "--init", "missing.onnx"), "missing.onnx cannot be read"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    run: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], text: str
) -> None:
    monkeypatch.chdir(folder)
    code, _, err = run("points", "--data", folder, "--validation", "0.4", "--out", folder / "run", *options)
    assert code == 1
    assert text in err.splitlines()[-1], err
    assert "Traceback" not in err
    assert err.count("missing.toml") < 2


def test_weights_of_another_scheme_are_measured_on_their_own_points_only(run: Runner, folder: Path) -> None:
    (folder / "none.safetensors").write_bytes(b"nothing")
    code, _, err = run("points-error", folder / "none.safetensors", "--data", folder)
    assert code == 1
    assert is_one_line(err)


def test_a_recipe_may_say_what_a_run_starts_from(run: Runner, folder: Path) -> None:
    options = (
        "--data",
        folder,
        "--scheme",
        folder / "kite.toml",
        "--validation",
        "0.4",
        "--out",
        folder / "run",
    )
    code, _, err = run("points", *options, "--set", f"init={folder / 'gone.onnx'}")
    assert code == 1
    assert "gone.onnx cannot be read" in err.splitlines()[-1], err
