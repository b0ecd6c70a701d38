import json
import subprocess
import sys

import numpy as np
import pytest

from tests.tiny import write_300w
from train import cli
from train.data.splits import test_faces as faces_of_the_test_sets


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return write_300w(tmp_path_factory.mktemp("tree"))


@pytest.fixture
def run(monkeypatch, capsys):
    """``run(argument, ...)`` gives exit code, stdout and stderr of ``python -m train``."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["python -m train", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return left.value.code, out, err

    return call


def one_line(err):
    return err.count("\n") == 1 and err.startswith("train: ")


@pytest.fixture(scope="module")
def predictions(tree, tmp_path_factory):
    """A file for each subset, every point 1 px off; the first helen image is missed."""
    folder = tmp_path_factory.mktemp("predictions")
    lines = {"lfpw": [], "helen": []}
    for face in faces_of_the_test_sets(tree):
        points = (face.points + np.array((1, 0))).tolist()
        missed = face.subset == "helen" and not lines["helen"]
        found = [] if missed else [{"id": 1, "landmarks": points}]
        lines[face.subset].append(json.dumps({"source": face.image.name, "faces": found}))
    for subset, texts in lines.items():
        (folder / f"{subset}.jsonl").write_text("\n".join(texts) + "\n")
    return folder


def test_evaluate_prints_a_table_and_writes_the_same_as_json(run, tree, predictions, tmp_path):
    files = ["--predictions", predictions / "lfpw.jsonl", "--predictions", predictions / "helen.jsonl"]
    code, out, err = run("evaluate", "--data", tree, *files, "--json", tmp_path / "out.json")
    assert (code, err) == (0, "")
    assert "complete" not in out
    written = json.loads((tmp_path / "out.json").read_text())
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


def test_evaluate_takes_files_as_a_shell_expands_them(run, tree, predictions):
    files = sorted(predictions.glob("*.jsonl"))
    code, out, _ = run("evaluate", "--data", tree, "--predictions", *files)
    assert code == 0
    assert "lfpw + helen" in out


def test_evaluate_says_what_is_not_there(run, tree, predictions, tmp_path):
    json_path = tmp_path / "out.json"
    file = f"lfpw={predictions / 'lfpw.jsonl'}"
    code, out, _ = run("evaluate", "--data", tree, "--predictions", file, "--json", json_path)
    assert code == 0
    assert "No predictions for helen" in out
    assert json.loads(json_path.read_text())["complete"] is False


def test_evaluate_writes_null_where_nothing_was_found(run, tree, tmp_path):
    name = faces_of_the_test_sets(tree)[0].image.name
    (tmp_path / "p.jsonl").write_text(json.dumps({"source": name, "faces": []}))
    run("evaluate", "--data", tree, "--predictions", tmp_path / "p.jsonl", "--json", tmp_path / "out.json")
    (row,) = json.loads((tmp_path / "out.json").read_text())["scores"]
    assert row["nme_mean"] is row["nme_median"] is None
    assert row["misses"] == 3


def test_evaluate_refuses_bad_input_in_one_line(run, tree, predictions, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"source": "a.jpg", "faces": []}\n{"sou\n')
    good = predictions / "lfpw.jsonl"
    for arguments, expected in [
        (["--data", tree, "--predictions", tmp_path / "bad.jsonl"], "bad.jsonl:2: "),
        (["--data", tree, "--predictions", tmp_path / "none.jsonl"], "none.jsonl: cannot be read"),
        (["--data", tmp_path, "--predictions", good], "300-W folders"),
        (["--data", tree, "--predictions", good, "--json", tmp_path], "cannot be written"),
    ]:
        code, _, err = run("evaluate", *arguments)
        assert code == 1
        assert one_line(err)
        assert expected in err


def test_usage_errors_exit_with_2(run, tree):
    for arguments in (
        ["evaluate", "--data", tree],
        ["resnet18"],
        ["resnet18", "--data", tree, "--pretrained", "faces"],
        ["resnet18", "--data", tree, "--limit", "-1"],
        ["face99"],
    ):
        assert run(*arguments)[0] == 2


def test_help_and_evaluation_load_no_torch(tree, predictions):
    """Help must be quick, and predictions can be scored where torch is not installed."""
    code = (
        "import sys; from train import cli\n"
        "for arguments in (['evaluate', '--help'], sys.argv[1:]):\n"
        "    sys.argv = ['train', *arguments]\n"
        "    try: cli.main()\n"
        "    except SystemExit as left: assert left.code == 0, left.code\n"
        "assert 'torch' not in sys.modules and 'lightning_fabric' not in sys.modules\n"
    )
    arguments = ["evaluate", "--data", tree, "--predictions", predictions / "lfpw.jsonl"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def dry_run(tree, out, *more):
    return ("resnet18", "--data", tree, "--out", out, "--limit", 8, "--epochs", 1, "--threads", 1, *more)


@pytest.fixture(scope="module")
def trained(tree, tmp_path_factory):
    """The folder of a real ResNet18 dry run: 8 faces, one epoch at 128 and one at 224 px."""
    pytest.importorskip("torch")
    out = tmp_path_factory.mktemp("runs") / "resnet18"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train", *map(str, dry_run(tree, out))])
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert left.value.code == 0
    return out


def test_a_dry_run_writes_weights_that_the_network_takes(trained):
    from safetensors.torch import load_file

    from train.models.resnet18 import ResNet18Landmarks

    assert sorted(p.name for p in trained.iterdir()) == ["last.ckpt", "log.csv", "resnet18.safetensors"]
    network = ResNet18Landmarks()
    network.load_state_dict(load_file(trained / "resnet18.safetensors"), strict=True)
    assert len((trained / "log.csv").read_text().splitlines()) == 3


def test_a_complete_run_resumed_only_writes_its_weights_again(run, tree, trained):
    weights = trained / "resnet18.safetensors"
    before, log = weights.read_bytes(), (trained / "log.csv").read_bytes()
    weights.unlink()
    assert run(*dry_run(tree, trained, "--resume"))[0] == 0
    assert weights.read_bytes() == before
    assert (trained / "log.csv").read_bytes() == log


def test_training_refuses_what_it_cannot_use_in_one_line(run, tree, trained, tmp_path):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "last.ckpt").write_bytes((trained / "last.ckpt").read_bytes()[:5000])
    for arguments, expected in [
        (dry_run(tmp_path / "nothing", tmp_path / "out"), "300-W folders"),
        (dry_run(tree, trained), "--resume"),
        ((*dry_run(tree, trained, "--resume"), "--epochs", 2), "another configuration"),
        (dry_run(tree, damaged, "--resume"), "not a readable checkpoint"),
        (dry_run(tree, tree / "300w" / "afw" / "afw_0000_1.pts" / "out"), "choose another --out"),
    ]:
        code, _, err = run(*arguments)
        assert code == 1
        assert one_line(err)
        assert expected in err


def test_the_seed_of_the_recipe_sets_the_initial_weights(run, tree, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from train import loop

    monkeypatch.setattr(loop, "train", lambda _config, model, *_: model)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert run(*dry_run(tree, tmp_path / name))[0] == 0
    first, second = ((tmp_path / name / "resnet18.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second


def test_ctrl_c_exits_130_and_says_how_to_go_on(run, tree, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from train import loop

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "landmark_loss", interrupted)
    code, _, err = run(*dry_run(tree, tmp_path / "out"))
    assert code == 130
    assert f"--resume --out {tmp_path / 'out'}" in err
    assert "Traceback" not in err
