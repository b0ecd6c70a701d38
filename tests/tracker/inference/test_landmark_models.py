"""Landmark models by name or path: metadata, TOML files beside them, and files that break the contract."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import damaged
from tests.own_models import (
    FIVE,
    OFFSETS,
    graph_model,
    onnx_module,
    save,
    spot,
    write_2d106det,
    write_spot_model,
)
from tracker.errors import WeightsError
from tracker.inference.landmark_models import (
    MODEL_KEY,
    find_landmark_model,
    is_path,
)
from tracker.inference.opening import open_landmarker
from tracker.inference.weights import find_model
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.plain import SCHEME_KEY
from tracker.scheme.value import CropRule, Scheme

ABOUT: dict[str, Any] = {
    "name": "spot finder",
    "licence": "CC0",
    "precision": "fp32",
    "admission": {"bias": -1.5, "presence": 2},
    "training": {"pictures": 50, "nme": 3.2, "data": ["a", "b"]},
    "made_with": "tracker68 0.1.0",
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_spot_model(tmp_path / "spot.onnx", about=ABOUT)


def test_a_shipped_model_is_found_by_its_name() -> None:
    found = find_landmark_model("resnet18")
    assert found.file == find_model("resnet18", "landmarks")
    assert (found.scheme, found.graph, found.description) == (IBUG68, None, None)
    assert found.hashes[0] == found.file.sha256
    with pytest.raises(WeightsError, match="unknown landmarks model 'vgg': choose one of"):
        find_landmark_model("vgg")


def test_a_model_brings_its_scheme_and_what_is_known_of_it(model: Path) -> None:
    found = find_landmark_model(str(model))
    assert found.scheme == FIVE
    file = found.file
    assert (file.name, file.licence, file.precision) == ("spot finder", "CC0", "fp32")
    assert file.meta["admission"] == {"bias": -1.5, "presence": 2.0}
    assert file.meta["training"] == ABOUT["training"]
    assert found.hashes == [file.sha256]


def test_a_model_finds_the_points_of_its_scheme(model: Path) -> None:
    landmarker = open_landmarker(str(model), "cpu", threads=1).landmarker
    crops = np.stack([spot((100.25, 90.5), (224, 224))[..., 0], np.zeros((224, 224), np.uint8)])
    points, presence, quality = landmarker.locate(crops)
    assert np.abs(points[0] - (100.25, 90.5) - OFFSETS).max() < 0.01
    assert presence.tolist() == [1.0, 0.0]
    assert quality is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.onnx", True),
        ("A.ONNX", True),
        ("folder/net", True),
        (os.path.join("folder", "net"), True),  # noqa: PTH118 - the separator of this system
        ("resnet18", False),
        ("nonsense", False),
        ("file", True),
        ("a\0b", False),
        ("", False),
    ],
)
def test_paths_are_told_from_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, expected: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("resnet18").touch()  # a shipped name stays one
    assert is_path(name) is expected


def test_a_model_without_metadata_has_ibugs_points_if_their_number_fits(tmp_path: Path) -> None:
    offsets = np.random.default_rng(0).uniform(-80, 80, (68, 2))
    path = write_spot_model(tmp_path / "plain.onnx", scheme=None, offsets=offsets)
    found = find_landmark_model(str(path))
    assert found.scheme == IBUG68
    assert (found.file.name, found.file.licence, found.file.precision) == ("plain", "not stated", "")
    other = write_spot_model(tmp_path / "other.onnx", scheme=None)
    with pytest.raises(WeightsError, match=r"does not say what its points are.*points float32 \(N, 5, 2\).*"):
        find_landmark_model(str(other))


def test_a_file_beside_the_model_says_more_than_its_metadata(model: Path) -> None:
    toml = '[scheme]\nname = "mine"\nn_points = 5\n[crop]\nmargin = 2.0\n[model]\nlicence = "mine"\n'
    model.with_suffix(".toml").write_text(toml, encoding="utf-8")
    found = find_landmark_model(str(model))
    assert found.scheme == Scheme("mine", 5, crop=CropRule(2.0))
    assert (found.file.name, found.file.licence) == ("spot finder", "mine")
    assert len(found.hashes) == 2
    before = found.hashes
    model.with_suffix(".toml").write_text(toml.replace("2.0", "2.5"), encoding="utf-8")
    assert find_landmark_model(str(model)).hashes != before
    model.with_suffix(".toml").write_text("[crop]\nbox_margin = 3\n", encoding="utf-8")
    assert find_landmark_model(str(model)).scheme.crop == CropRule(4.0, 3.0)


def test_a_replaced_model_is_noticed(model: Path) -> None:
    before = find_landmark_model(str(model))
    write_spot_model(model, offsets=OFFSETS * 0.9)
    os.utime(model, ns=(1, 1))
    assert find_landmark_model(str(model)).file.sha256 != before.file.sha256


def with_metadata(path: Path, **texts: str) -> Path:
    return write_spot_model(
        path, scheme=None, metadata={f"tracker.{key}": text for key, text in texts.items()}
    )


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ({"scheme": "{"}, "tracker.scheme in its metadata is no JSON"),
        ({"scheme": "[" * 100_000}, "tracker.scheme in its metadata is no JSON"),
        ({"scheme": "[]"}, "tracker.scheme must be a table"),
        (
            {"scheme": '{"name": "a", "n_points": 4}'},
            r"output points float32 \(N, 5, 2\) is not the points of a",
        ),
        ({"scheme": '{"name": "a", "n_points": 5, "edges": [[0, 5]]}'}, "edges: there is no point 5"),
        ({"model": "3"}, "tracker.model must be a table"),
        ({"model": '{"name": 3}'}, "tracker.model: name must be a text"),
        ({"model": '{"name": "a\\nb"}'}, "tracker.model: name must be a text"),
        ({"model": '{"admission": {"bias": NaN}}'}, "admission: bias must be a finite number"),
        ({"model": '{"admission": {"weight": 1}}'}, "admission has no field 'weight'"),
        ({"model": '{"admission": [1]}'}, "admission must be a table"),
        ({"model": '{"training": "long"}'}, "training must be a table"),
    ],
)
def test_metadata_that_cannot_be_used_is_told(tmp_path: Path, texts: dict[str, str], reason: str) -> None:
    texts = {"scheme": '{"name": "a", "n_points": 5}', **texts}
    path = with_metadata(tmp_path / "bad.onnx", **texts)
    with pytest.raises(WeightsError, match=reason) as caught:
        find_landmark_model(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "export" in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.data())
def test_damaged_metadata_makes_a_model_or_one_line(tmp_path: Path, data: st.DataObject) -> None:
    onnx = onnx_module()
    whole = data.draw(st.sampled_from([SCHEME_KEY, MODEL_KEY]))
    texts = {SCHEME_KEY: json.dumps({"name": "a", "n_points": 5}), MODEL_KEY: json.dumps(ABOUT)}
    bytes_ = data.draw(damaged(texts[whole].encode()))
    texts[whole] = bytes_.decode("utf-8", "replace")
    path = tmp_path / "any.onnx"
    if not path.exists():
        write_spot_model(path, scheme=None)
    made = onnx.load(path)
    onnx.helper.set_model_props(made, texts)
    onnx.save(made, path)
    line = ""
    try:
        find_landmark_model(str(path))
    except WeightsError as error:
        line = str(error)
    assert "\n" not in line


Sizes = tuple[str, list[Any]]


def constant_model(path: Path, crop: Sizes, outputs: dict[str, Sizes]) -> Path:
    """Write a model whose outputs have any kinds and shapes: its values are never asked for."""
    node = onnx_module().helper.make_node
    kind, shape = crop
    nodes, infos, constants = [], [], {}
    for name, (of, sizes) in outputs.items():
        number = {"FLOAT": np.float32, "INT64": np.int64, "DOUBLE": np.float64}[of]
        constants[f"{name}_value"] = np.zeros([1 if size == "N" else size for size in sizes], number)
        nodes.append(node("Identity", [f"{name}_value"], [name]))
        infos.append((name, of, sizes))
    return save(path, graph_model(nodes, [("crop", kind, shape)], infos, constants))


CROP: Sizes = ("UINT8", ["N", 1, 224, 224])
POINTS: Sizes = ("FLOAT", [1, 68, 2])
PRESENCE: Sizes = ("FLOAT", [1])


@pytest.mark.parametrize(
    ("crop", "outputs", "reason"),
    [
        (("FLOAT", CROP[1]), {"points": POINTS, "presence": PRESENCE}, "input crop float32 .* is not uint8"),
        (
            ("UINT8", ["N", 3, 224, 224]),
            {"points": POINTS, "presence": PRESENCE},
            r"\(N, 3, 224, 224\) is not",
        ),
        (("UINT8", [1, 1, 224, 224]), {"points": POINTS, "presence": PRESENCE}, r"\(1, 1, 224, 224\) is not"),
        (("UINT8", ["N", 1, 224]), {"points": POINTS, "presence": PRESENCE}, r"\(N, 1, 224\) is not"),
        (CROP, {"points": POINTS}, r"has the outputs points float32 \(1, 68, 2\), not points, presence"),
        (CROP, {"points": POINTS, **{f"o{i}": PRESENCE for i in range(3)}}, "has the outputs"),
        (
            CROP,
            {"points": POINTS, "presence": ("FLOAT", [1, 2])},
            r"presence float32 \(1, 2\) is not the presence",
        ),
        (CROP, {"points": POINTS, "presence": ("INT64", [1])}, r"presence int64 \(1\) is not the presence"),
        (
            CROP,
            {"points": POINTS, "presence": PRESENCE, "quality": ("FLOAT", [1, 5])},
            r"output quality float32 \(1, 5\) is not the quality of ibug68 \(68 points\), float32 \(N, 68\)",
        ),
        (CROP, {"points": ("FLOAT", [1, 136]), "presence": PRESENCE}, "does not say what its points are"),
    ],
)
def test_a_model_that_breaks_the_contract_is_told_where(
    tmp_path: Path, crop: Sizes, outputs: dict[str, Sizes], reason: str
) -> None:
    path = constant_model(tmp_path / "other.onnx", crop, outputs)
    with pytest.raises(WeightsError, match=reason) as caught:
        find_landmark_model(str(path))
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "other.toml") in str(caught.value)  # the remedy


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("[scheme", "no TOML file"),
        ("[shceme]", "has no field 'shceme': did you mean scheme"),
        ("scheme = 3", r"\[scheme\] must be a table, got 3"),
        ("[scheme]\nname = 3", "name must be a text"),
        ("[crop]\nmargin = -1", "margin must be a number above 0, got -1"),
        ("[crop]\nmargins = 1", "did you mean margin"),
        ("crop = []", "crop must be a table"),
        ("model = 1", "model must be a table"),
        ("[model]\nname = 3", "name must be a text"),
        ("[model.points]\nlayout = 'xy'", "needs a table input"),
        ("[model.input]\nsize = 'large'", "size must be a whole number"),
        ("[model.input]\nsize = 99999", "size must lie in 8..4096"),
        ("[model.input]\nsize = 192\nsizes = 3", "has no field 'sizes'"),
        ("[model.input]\nsize = 192\ncolours = 'HSV'", "colours must be one of grey, RGB, BGR"),
        ("[model.input]\nsize = 192\n[model.points]\nlayout = 'yx'", "layout must be one of xy, xyz"),
        ("[model.input]\nsize = 192\n[model.points]\nunits = 'mm'", "units must be one of pixels"),
        (
            "[model.input]\nsize = 192\n[model.points]\nlayout = 'heatmaps'\nunits = '0..1'",
            "heatmaps have no",
        ),
        ("[model.input]\nsize = 192\n[model.presence]\nlogit = true", "give one of the two"),
        (
            "[model.input]\nsize = 192\n[model.presence]\nmodel = 'a'\nlogit = true",
            "logit is about an output",
        ),
        ("[model.input]\nsize = 192\n[model.presence]\noutput = 'a'\nlogit = 'yes'", "logit must be true"),
        ("[model.input]\nsize = 192\n[model.presence]\nmodel = 'a'", "unknown landmarks model 'a'"),
    ],
)
def test_a_wrong_file_beside_a_model_is_told_in_one_line(model: Path, toml: str, reason: str) -> None:
    model.with_suffix(".toml").write_text(toml, encoding="utf-8")
    with pytest.raises(WeightsError, match=reason) as caught:
        find_landmark_model(str(model))
    assert str(model.with_suffix(".toml")) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("[model.input]\nsize = 112", r"input data float32 \(N, 3, 192, 192\) is not \(N, 3, 112, 112\)"),
        ("[model.input]\nsize = 192\nlayout = 'NHWC'", r"is not \(N, 192, 192, 3\)"),
        ("[model.input]\nsize = 192\n[model.points]\noutput = 'fc2'", "has no output fc2: it has fc1"),
        ("[model.input]\nsize = 192\n[model.presence]\noutput = 'fc2'", "has no output fc2: it has fc1"),
    ],
)
def test_a_description_of_another_model_is_told_before_anything_runs(
    tmp_path: Path, toml: str, reason: str
) -> None:
    """Not only by a run: `tracker info` and the plan of a batch read the model, too."""
    path = write_2d106det(tmp_path / "net.onnx", np.zeros((106, 2)))
    path.with_suffix(".toml").write_text(f"[scheme]\nname = 'jd106'\n{toml}\n", encoding="utf-8")
    with pytest.raises(WeightsError, match=reason):
        find_landmark_model(str(path))


def test_a_scheme_beside_the_model_that_contradicts_it_is_to_be_corrected(model: Path) -> None:
    model.with_suffix(".toml").write_text("[scheme]\nname = 'six'\nn_points = 6\n", encoding="utf-8")
    with pytest.raises(WeightsError, match=r"not the points of six .*: correct \S+\.toml$"):
        find_landmark_model(str(model))


def test_a_folder_in_place_of_the_file_beside_a_model_is_told(model: Path) -> None:
    model.with_suffix(".toml").mkdir()
    with pytest.raises(WeightsError, match="cannot be read"):
        find_landmark_model(str(model))


def test_a_model_of_ones_own_has_one_precision(model: Path) -> None:
    with pytest.raises(WeightsError, match="is one file, not several precisions: leave out --precision"):
        open_landmarker(str(model), "cpu", precision="int8")


def test_a_shipped_file_by_its_path_gives_the_same_bits_as_by_its_name() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, 224, 224), np.uint8)
    by_name = open_landmarker("unet-light", "cpu", threads=1, precision="fp32")
    by_path = open_landmarker(str(by_name.file.path), "cpu", threads=1)
    assert by_path.file.sha256 == by_name.file.sha256
    for mine, shipped in zip(by_path.landmarker.locate(crops), by_name.landmarker.locate(crops), strict=True):
        assert mine is not None
        assert shipped is not None
        assert np.array_equal(mine, shipped)
