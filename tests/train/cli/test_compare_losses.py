import json
from pathlib import Path

import pytest

from tests.train.cli.runner import Runner


def test_figures_are_printed_and_written(run: Runner, tiny_300w: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from train.studies.heatmap_losses import WAYS

    path = tmp_path / "figures.json"
    options = ("--data", tiny_300w, "--limit", 8, "--epochs", 1, "--threads", 1, "--json", path)
    code, printed, _ = run("compare-losses", *options)
    assert code == 0
    figures = json.loads(path.read_text())
    assert (figures["faces"], figures["epochs"]) == (8, 1)
    assert 0.9 < figures["background"] < 0.95  # 60x60 px of 224x224 are 7.2 %
    assert list(figures["ways"]) == list(WAYS)
    for way in figures["ways"].values():
        assert way["nme_percent"] > 0
        assert way["peak"] > 0
        for share in (way["fresh"], way["trained"]):
            assert 0 <= share["squared"] <= 1
            assert 0 <= share["absolute"] <= 1
    assert figures["ways"]["pixels, sigmoid"]["fresh"]["absolute"] > 0.9
    assert all(name in printed for name in WAYS)
    assert f"{figures['ways']['distributions']['nme_percent']:.1f}" in printed
