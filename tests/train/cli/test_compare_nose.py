import json
from pathlib import Path

import pytest

from tests.train.cli.runner import Runner, dry_run


@pytest.mark.slow
def test_the_comparison_is_printed_and_written(run: Runner, tiny_imm: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    out = tmp_path / "nose"
    arguments = ("compare-nose", *dry_run(tiny_imm, out, "--seeds", 2))
    code, printed, _ = run(*arguments)
    assert code == 0
    content = json.loads((out / "comparison.json").read_text())
    assert content["people"] == "29-32"
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
        "fan-0-first8",
        "fan-1-first8",
        "funnel-0-first8",
        "funnel-1-first8",
    ]
    assert run(*arguments)[0] == 0  # a second call must not refuse existing runs
    assert json.loads((out / "comparison.json").read_text()) == content


@pytest.mark.slow
def test_one_seed_has_no_deviation(run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from train.studies.noses import NoseRun

    runs = [NoseRun("funnel", 0, 6.5, 0.9), NoseRun("fan", 0, 5.5, 1.0)]
    monkeypatch.setattr("train.studies.noses.nose_runs", lambda *_: iter(runs))
    (tmp_path / "out").mkdir()
    code, printed, err = run("compare-nose", *dry_run(tmp_path, tmp_path / "out", "--seeds", 1))
    assert code == 0
    assert "5.50 ± -" in printed
    assert "fan seed 0: 5.50 px, 100.0 % near" in err
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert [row["mean_px"]["std"] for row in content["summary"]] == [None, None]
