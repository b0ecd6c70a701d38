import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from torch import Tensor

from tests.tiny import write_300w
from tests.train.cli.runner import Runner
from tests.train.evaluation.examples import line
from train.cli.evaluate import evaluate
from train.data.splits import test_faces as faces_of_the_test_sets
from train.errors import TrainError
from train.models.load import Loaded

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_300w(tmp_path_factory.mktemp("tree"), train=2)


@pytest.fixture(scope="module")
def predictions(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prediction file for each subset, every point 1 px off; the first helen image is missed."""
    folder = tmp_path_factory.mktemp("predictions")
    lines: dict[str, list[str]] = {"lfpw": [], "helen": []}
    for face in faces_of_the_test_sets(tree):
        missed = face.subset == "helen" and not lines["helen"]
        lines[face.subset].append(
            line(face.image.name, *([] if missed else [face.points + np.array((1, 0))]))
        )
    for subset, texts in lines.items():
        (folder / f"{subset}.jsonl").write_text("\n".join(texts) + "\n")
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    """``run(argument, ...)`` returns exit code, stdout and stderr of the command."""
    app = typer.Typer(add_completion=False)
    app.command()(evaluate)

    def call(*arguments: object) -> tuple[int | str | None, str, str]:
        code: int | str | None = 0
        try:
            app(list(map(str, arguments)), standalone_mode=True)
        except SystemExit as left:
            code = left.code
        except TrainError as error:
            code = str(error)
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path | None]]:
    """Replace the shipped weights by a network that predicts the middle of the crop for all points."""
    pytest.importorskip("torch")
    import torch

    from train.models import load as exported
    from train.models.output import LandmarkOutput

    class Middle(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Conv2d(1, 4, 3)

        def forward(self, crops: "Tensor") -> LandmarkOutput:
            count = len(crops)
            return LandmarkOutput(
                torch.zeros(count, 68, 2), torch.zeros(count), torch.zeros(count, 68, 10, 10)
            )

    asked = []

    def load(model: str, weights: Path | None = None) -> Loaded:
        asked.append((model, weights))
        return exported.Loaded(Middle(), 64)

    monkeypatch.setattr(exported, "load_network", load)
    return asked


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch, predictions: Path) -> None:
    """Replace the tracker's output by ``predictions``."""

    def track(folder: Path, model: str, json_path: Path, _images: int | None = None) -> None:
        name = "lfpw" if "lfpw" in str(folder) else "helen"
        assert model == "resnet18"
        json_path.write_text((predictions / f"{name}.jsonl").read_text())

    monkeypatch.setattr("train.evaluation.own_detector.track_folder", track)


def both(predictions: Path) -> tuple[str, Path, str, Path]:
    return "--predictions", predictions / "lfpw.jsonl", "--predictions", predictions / "helen.jsonl"


def test_both_conditions_are_printed_and_written(
    run: Runner, tree: Path, predictions: Path, network: list[tuple[str, Path | None]], tmp_path: Path
) -> None:
    path = tmp_path / "out.json"
    code, out, err = run("--data", tree, *both(predictions), "--json", path)
    assert (code, err) == (0, "")
    assert network == [("resnet18", None)]
    for expected in ("label box", "own detector", "lfpw + helen", "mouth"):
        assert expected in out
    assert "complete" not in out
    written = json.loads(path.read_text())
    assert written["complete"] is True
    assert [(s["subset"], s["faces"], s["misses"]) for s in written["scores"]] == [
        ("lfpw", 3, 0),
        ("helen", 3, 1),
        ("lfpw + helen", 6, 1),
    ]
    labels = [f.points for f in faces_of_the_test_sets(tree) if f.subset == "lfpw"]
    expected = np.mean([100 / np.linalg.norm(p[36] - p[45]) for p in labels])
    assert written["scores"][0]["nme_mean"] == pytest.approx(expected, abs=1e-4)
    assert f"{expected:.2f}" in out
    assert written["conditions"]["own detector"] == written["scores"]
    assert written["conditions"]["label box"][-1]["nme_mean"] > 20
    assert_broken_down(written, out)
    assert set(written["scores"][0]) == {
        "subset",
        "faces",
        "misses",
        "nme_mean",
        "nme_mean_95",
        "nme_median",
        "box_nme_mean",
        "failure_rate_10",
        "auc_8",
        "parts",
    }


def assert_broken_down(written: dict[str, Any], out: str) -> None:
    both = ["label box", "own detector"]
    assert list(written["by_yaw"]) == list(written["bias_percent"]) == both
    for rows, misses in zip(written["by_yaw"].values(), (0, 1), strict=True):
        assert (sum(row["faces"] for row in rows), sum(row["misses"] for row in rows)) == (6, misses)
    # The faces are rolled by up to 17 degrees, and each point is 1 px to the right in the whole picture.
    shift = written["bias_percent"]["own detector"]["all"]
    assert np.hypot(shift["x"], shift["y"]) == pytest.approx(written["scores"][-1]["nme_mean"], rel=0.05)
    assert shift["x"] > 0
    assert list(written["occlusion"]) == ["plain", "mask", "half light"]
    assert written["occlusion"]["mask"]["quality_auc"] == 0.5  # all maps are equally wide
    assert written["occlusion"]["plain"]["nme_mean"] == pytest.approx(
        written["conditions"]["label box"][-1]["nme_mean"]
    )
    for expected in ("error by yaw", "own detector: bias", "label box: occlusion", "half light", "symmetric"):
        assert expected in out


@pytest.mark.usefixtures("tracker")
def test_without_predictions_the_tracker_is_run(run: Runner, tree: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    code, _, _ = run("resnet18", "--data", tree, "--only", "own-detector", "--json", path)
    assert code == 0
    written = json.loads(path.read_text())
    assert written["complete"] is True
    assert [s["misses"] for s in written["scores"]] == [0, 1, 1]
    assert "occlusion" not in written


@pytest.mark.usefixtures("network")
def test_only_selects_one_condition(run: Runner, tree: Path, predictions: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    run("--data", tree, "--only", "label-box", "--json", path)
    written = json.loads(path.read_text())
    assert (list(written["conditions"]), written["scores"], written["complete"]) == (["label box"], [], False)
    run("--data", tree, *both(predictions), "--only", "own-detector", "--json", path)
    assert list(json.loads(path.read_text())["conditions"]) == ["own detector"]


def test_user_weights_are_never_scored_by_the_shipped_tracker(
    run: Runner, tree: Path, network: list[tuple[str, Path | None]], tmp_path: Path
) -> None:
    weights, path = tmp_path / "mine.safetensors", tmp_path / "out.json"
    code, out, _ = run("--data", tree, "--weights", weights, "--json", path)
    assert code == 0
    assert network == [("resnet18", weights)]
    assert "Own detector not measured" in out
    written = json.loads(path.read_text())
    assert (written["scores"], written["complete"], written["weights"]) == ([], False, "mine.safetensors")


def test_expanded_wildcards_and_any_position_of_the_model_are_accepted(
    run: Runner, tree: Path, predictions: Path
) -> None:
    files = sorted(predictions.glob("*.jsonl"))
    for arguments in (
        ("--predictions", *files),
        ("resnet18", "--predictions", *files),
        ("--predictions", *files, "resnet18"),
    ):
        code, out, _ = run("--data", tree, "--only", "own-detector", *arguments)
        assert code == 0
        assert "lfpw + helen" in out


def test_missing_subsets_are_reported(run: Runner, tree: Path, predictions: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    file = f"lfpw={predictions / 'lfpw.jsonl'}"
    code, out, _ = run("--data", tree, "--only", "own-detector", "--predictions", file, "--json", path)
    assert code == 0
    assert "No predictions for helen: this is not the complete 6 faces." in out
    assert json.loads(path.read_text())["complete"] is False


def test_missing_values_are_null(run: Runner, tree: Path, tmp_path: Path) -> None:
    name = faces_of_the_test_sets(tree)[0].image.name
    (tmp_path / "p.jsonl").write_text(json.dumps({"source": name, "faces": []}))
    arguments = ("--predictions", tmp_path / "p.jsonl", "--json", tmp_path / "out.json")
    run("--data", tree, "--only", "own-detector", *arguments)
    (row,) = json.loads((tmp_path / "out.json").read_text())["scores"]
    assert row["nme_mean"] is row["nme_median"] is row["box_nme_mean"] is row["parts"]["jaw"] is None
    assert row["nme_mean_95"] == [None, None]
    assert row["misses"] == 3


@pytest.mark.slow
@pytest.mark.usefixtures("network", "tracker")
def test_report_and_plots_are_written_whole(run: Runner, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("epoch,loss\n1,2\n2,1\n")
    (tmp_path / "own").mkdir()
    first = faces_of_the_test_sets(tree)
    for face in first[3:]:  # the fake tracker has lines for these
        (tmp_path / "own" / face.image.name).write_bytes(face.image.read_bytes())
    report, plots = tmp_path / "out" / "report.html", tmp_path / "plots" / "new"
    report.parent.mkdir()
    arguments = ("--log", tmp_path / "log.csv", "--images", tmp_path / "own")
    code, _, err = run("--data", tree, "--report", report, "--plots", plots, *arguments)
    assert (code, err) == (0, "")
    names = ["errors.png", "filters.png", "parts.png", "training.png"]
    assert sorted(p.name for p in plots.iterdir()) == names
    assert all(p.read_bytes().startswith(PNG) for p in plots.iterdir())
    assert [p.name for p in report.parent.iterdir()] == ["report.html"]
    page = report.read_text()
    for expected in ("Accuracy", "First layer", "Training samples", "Own pictures", "label box", "1 face<"):
        assert expected in page


@pytest.mark.slow
@pytest.mark.usefixtures("network")
def test_the_log_beside_the_weights_is_found(run: Runner, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("epoch,loss,validation_loss\n0,nan,3\n1,2,2\n")
    plots, weights = tmp_path / "plots", tmp_path / "resnet18.safetensors"
    code, _, err = run("--data", tree, "--only", "label-box", "--weights", weights, "--plots", plots)
    assert (code, err) == (0, "")
    assert (plots / "training.png").read_bytes().startswith(PNG)


def test_bad_input_is_refused_in_one_line_before_anything_is_written(
    run: Runner, tree: Path, predictions: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.jsonl").write_text('{"source": "a.jpg", "faces": []}\n{"sou\n')
    (tmp_path / "log.csv").write_text("no log")
    good = ("--only", "own-detector", *both(predictions))
    report = ("--report", tmp_path / "r.html")
    for arguments, expected in [
        (["--data", tree, *good[:2], "--predictions", tmp_path / "bad.jsonl"], "bad.jsonl:2: "),
        (["--data", tree, *good[:2], "--predictions", tmp_path / "none.jsonl"], "none.jsonl: cannot be read"),
        (["--data", tmp_path, *good], "300-W folders"),
        (["--data", tree, *good, "--json", tmp_path], "cannot be written"),
        (["--data", tree, *good, "--report", tmp_path / "no" / "r.html"], "cannot be written"),
        (["--data", tree, *good, "--plots", tmp_path / "log.csv"], "cannot be made"),
        (["--data", tree, *good, *report, "--log", tmp_path / "log.csv"], "not a training log"),
        (["--data", tree, *good, *report, "--images", tmp_path / "nowhere"], "is no folder"),
        (["--data", tree, *good, "--images", tree, "--marked", tmp_path / "log.csv"], "cannot be made"),
    ]:
        before = sorted(tmp_path.iterdir())
        code, _, _ = run(*arguments)
        assert expected in str(code)
        assert "\n" not in str(code)
        assert sorted(tmp_path.iterdir()) == before


def test_usage_errors_exit_with_2(run: Runner, tree: Path, predictions: Path, tmp_path: Path) -> None:
    report = ("--report", tmp_path / "r.html")
    for arguments in (
        [],
        ["--data", tree, "resnet99"],
        ["--data", tree, "resnet18", "resnet18"],
        ["--data", tree, "--only", "everything"],
        ["--data", tree, "--only", "label-box", *both(predictions)],
        ["--data", tree, "--only", "own-detector", "--weights", tmp_path / "w.onnx"],
        ["--data", tree, "--images", tmp_path],
        ["--data", tree, "--marked", tmp_path],
        ["--data", tree, "--images", tmp_path, "--marked", tmp_path],
        ["--data", tree, "--log", tmp_path / "log.csv"],
        ["--data", tree, "face58", *both(predictions)],
        ["--data", tree, "nose-fan", "--only", "own-detector"],
        ["--data", tree, "nose-fan", "--images", tmp_path],
        ["--data", tree, "--json", tmp_path / "r.html", *report],
    ):
        assert run(*arguments)[0] == 2


def test_help_and_predictions_need_no_torch(tree: Path, predictions: Path) -> None:
    """Help must be quick, and predictions can be scored where torch is not installed."""
    code = (
        "import sys, typer; from train.cli.evaluate import evaluate\n"
        "app = typer.Typer(); app.command()(evaluate)\n"
        "for arguments in (['--help'], sys.argv[1:]):\n"
        "    try: app(arguments)\n"
        "    except SystemExit as left: assert left.code == 0, left.code\n"
        "assert not {'torch', 'matplotlib', 'lightning_fabric'} & set(sys.modules)\n"
    )
    arguments = ["--data", tree, "--only", "own-detector", "--predictions", predictions / "lfpw.jsonl"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["own.onnx", "own.safetensors", "last.ckpt", "own.pt", "own.pth", "OWN.PTH"])
def test_a_file_in_place_of_the_model_is_told_to_be_weights(run: Runner, tree: Path, name: str) -> None:
    code, _, err = run(name, "--data", tree)
    assert code == 2
    assert f"say MODEL --weights {name}" in " ".join(err.replace("│", " ").split())
