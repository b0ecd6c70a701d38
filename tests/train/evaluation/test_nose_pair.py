from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from tests.train.evaluation.examples import labelled_nose
from train.evaluation import nose_pair
from train.evaluation.families import FAMILIES
from train.evaluation.label_box import label_box
from train.evaluation.nose_pair import NosePair, compare, difference, header, rows
from train.models.load import load_network


def pair(funnel: list[float], fan: list[float]) -> NosePair:
    evaluations = {"nose-funnel": labelled_nose(funnel), "nose-fan": labelled_nose(fan)}
    return NosePair(evaluations, {"nose-funnel": "mine.safetensors", "nose-fan": "as shipped"})


def test_the_table_has_the_numbers_of_both() -> None:
    table = [
        dict(zip(header(made), row, strict=True)) for made in [pair([1, 3], [2, 14])] for row in rows(made)
    ]
    assert [row["network"] for row in table] == ["nose-funnel (mine.safetensors)", "nose-fan (as shipped)"]
    assert [row["kernels, px"] for row in table] == ["7, 5, 3", "3, 5, 7"]
    assert [row["mean, px"] for row in table] == ["2.00", "8.00"]
    assert [row["within 12 px, %"] for row in table] == ["100.00", "50.00"]
    assert [row["parameters"] for row in table] == ["351,220", "381,460"]


def test_the_closer_network_is_named_with_the_interval_of_the_difference() -> None:
    text = difference(pair([5, 6, 7], [4, 5, 6]))
    assert "the fan is closer by 1.00 px" in text
    assert "interval of -1.00 to -1.00 px" in text
    assert "closer in 3 pictures" in text
    assert "the funnel is closer by 1.00 px" in difference(pair([4, 5, 6], [5, 6, 7]))


def test_faces_are_judged_by_the_larger_of_both_errors() -> None:
    assert pair([1, 9], [5, 2]).errors == pytest.approx([5, 9])


def test_the_other_network_is_measured_on_the_same_pictures(tiny_imm: Path) -> None:
    faces = FAMILIES["nose-fan"].read(tiny_imm)
    results = {}
    for model in nose_pair.PAIR:
        loaded = load_network(model)
        crops = FAMILIES[model].crops(faces, loaded.size, lambda: None)
        results[model] = label_box(faces, loaded.network, crops)
    made = compare("nose-fan", results["nose-fan"], "mine", faces)
    assert made is not None
    assert list(made.evaluations) == ["nose-funnel", "nose-fan"]
    assert made.weights == {"nose-funnel": "as shipped", "nose-fan": "mine"}
    for model, result in results.items():
        assert made.evaluations[model].predicted == pytest.approx(result.predicted)


def test_without_the_other_weights_there_is_no_pair(
    tiny_imm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = FAMILIES["nose-fan"].read(tiny_imm)
    evaluation = replace(labelled_nose([1.0] * len(faces.images)))
    assert compare("face58", evaluation, "mine", faces) is None
    monkeypatch.setattr(nose_pair, "WEIGHTS", tmp_path)
    assert compare("nose-fan", evaluation, "mine", faces) is None
    assert np.isfinite(evaluation.errors).all()
