from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from train.config import Stage  # noqa: E402
from train.configs.nose import CONFIG as NOSE  # noqa: E402
from train.studies.noses import NoseRun, nose_runs, summarise  # noqa: E402
from train.training.options import RunOptions  # noqa: E402

TINY = replace(NOSE, model="nose-fan", stages=(Stage(80, 3, 1e-3),), batch_size=4)


def test_the_comparison_resumes(tiny_imm: Path, tmp_path: Path) -> None:
    options, config = RunOptions(tmp_path), replace(TINY, stages=(Stage(80, 1, 1e-2),))
    first = list(nose_runs(config, tiny_imm, 1, options, limit=8))
    assert [(run.variant, run.seed) for run in first] == [("funnel", 0), ("fan", 0)]
    logs = {path: path.read_bytes() for path in tmp_path.glob("*/log.csv")}
    both = list(nose_runs(config, tiny_imm, 2, options, limit=8))
    assert both[:2] == first
    assert len({run.mean_px for run in both}) == 4  # variant and seed both matter
    assert {path: path.read_bytes() for path in logs} == logs
    list(nose_runs(config, tiny_imm, 1, options, limit=8, final=True))
    list(nose_runs(config, tiny_imm, 1, options, limit=9))
    assert len(list(tmp_path.glob("*/log.csv"))) == 8  # other pictures are other runs


def test_the_summary_is_mean_and_sample_deviation_over_seeds() -> None:
    runs = [NoseRun("fan", seed, mean_px, near) for seed, mean_px, near in [(0, 4.0, 0.9), (1, 7.0, 1.0)]]
    (row,) = summarise(runs)
    assert (row.variant, row.seeds) == ("fan", 2)
    assert (row.mean_px.mean, row.mean_px.std) == pytest.approx((5.5, 4.5**0.5))
    assert (row.share_near.mean, row.share_near.std) == pytest.approx((0.95, 0.005**0.5))
    assert np.isnan(summarise(runs[:1])[0].mean_px.std)
