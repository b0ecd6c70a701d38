"""Model files: only files that the manifest lists and whose hash is right are used."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.distribution import repair_command
from tracker.errors import WeightsError
from tracker.inference.weights import MANIFEST, ModelFile, find_model, load_manifest, weights_dir

CONTENT = b"not really a network"


def entry(**changes: object) -> dict[str, object]:
    good: dict[str, object] = {
        "kind": "landmarks",
        "file": "net.onnx",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "licence": "MIT",
    }
    return good | changes


def write_manifest(folder: Path, **models: object) -> Path:
    (folder / "net.onnx").write_bytes(CONTENT)
    (folder / MANIFEST).write_text(json.dumps({"models": models}), encoding="utf-8")
    return folder


def test_a_good_model_is_found_and_verified(tmp_path: Path) -> None:
    write_manifest(tmp_path, net=entry(meta={"nme": 3.9}), eyes=entry(kind="detector"))
    model = find_model("net", "landmarks", tmp_path)
    assert model.verified() == tmp_path / "net.onnx"
    assert model.meta == {"nme": 3.9}


def test_one_changed_bit_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path, net=entry())
    (tmp_path / "net.onnx").write_bytes(bytes([CONTENT[0] ^ 1]) + CONTENT[1:])
    with pytest.raises(WeightsError, match=r"net\.onnx differ from the manifest"):
        find_model("net", "landmarks", tmp_path).verified()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path, net=entry(file="other.onnx"))
    with pytest.raises(WeightsError, match=r"other\.onnx cannot be read"):
        find_model("net", "landmarks", tmp_path).verified()


@pytest.mark.parametrize(("kind", "extra"), [("mediapipe", "mediapipe"), ("study", "train")])
def test_a_file_that_wheels_leave_out_is_said_to_come_with_a_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, extra: str
) -> None:
    write_manifest(tmp_path, net=entry(kind=kind, file="other"), here=entry(kind=kind))
    assert not find_model("net", kind, tmp_path).left_out  # a clone from which the file was removed
    monkeypatch.setattr("tracker.inference.weights._PLACES", (tmp_path,))
    model = find_model("net", kind)
    assert model.left_out
    with pytest.raises(WeightsError, match=rf"^other comes with a clone .* pip install -e .*\[{extra}\]"):
        model.verified()
    assert not find_model("here", kind).left_out
    assert find_model("here", kind).verified() == tmp_path / "net.onnx"


def test_a_missing_model_that_runs_is_never_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_manifest(tmp_path, net=entry(file="other.onnx"))
    monkeypatch.setattr("tracker.inference.weights._PLACES", (tmp_path,))
    assert not find_model("net", "landmarks").left_out
    with pytest.raises(WeightsError, match=r"other\.onnx cannot be read .*: " + re.escape(repair_command())):
        find_model("net", "landmarks").verified()


def test_a_folder_for_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    write_manifest(tmp_path, net=entry(file="net"))
    with pytest.raises(WeightsError, match="cannot be read"):
        find_model("net", "landmarks", tmp_path).verified()


@pytest.mark.parametrize(("name", "kind"), [("nett", "landmarks"), ("net", "detector")])
def test_an_unknown_model_is_refused_with_a_list(tmp_path: Path, name: str, kind: str) -> None:
    write_manifest(tmp_path, net=entry(), eyes=entry(kind="detector"))
    with pytest.raises(WeightsError, match="choose one of " + ("net" if kind == "landmarks" else "eyes")):
        find_model(name, kind, tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "mouth"},
        {"kind": ["landmarks"]},
        {"file": 3},
        {"file": "a\0b"},
        {"sha256": None},
        {"sha256": 17},
        {"sha256": "abc"},
        {"licence": None},
        {"meta": [1]},
    ],
)
def test_an_entry_with_a_wrong_value_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(WeightsError):
        load_manifest(write_manifest(tmp_path, net=entry(**changes)))


@pytest.mark.parametrize("field", ["kind", "file", "sha256", "licence"])
def test_an_entry_without_a_field_is_refused(tmp_path: Path, field: str) -> None:
    incomplete = {key: value for key, value in entry().items() if key != field}
    with pytest.raises(WeightsError, match=field):
        load_manifest(write_manifest(tmp_path, net=incomplete))


def test_no_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=MANIFEST):
        load_manifest(tmp_path)


def load_or_refuse(content: bytes) -> None:
    """Load a manifest of these bytes, whose files do not exist; errors are one line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / MANIFEST).write_bytes(content)
        try:
            models = load_manifest(folder)
            assert all(isinstance(model, ModelFile) for model in models.values())
            for model in models.values():
                model.verified()
                pytest.fail("a missing file was verified")
        except WeightsError as error:
            message = str(error)
        else:
            message = ""  # a manifest of no models
        assert "\n" not in message


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_subnormal=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["landmarks", "detector"]) | json_values,
        "file": st.just("absent.onnx") | json_values,
        "sha256": st.just("0" * 64) | json_values,
        "licence": st.just("MIT") | json_values,
        "meta": json_values,
        "variants": json_values,
    },
)


@given(st.binary(max_size=60))
def test_random_bytes_are_read_or_refused(content: bytes) -> None:
    load_or_refuse(content)


@given(json_values | st.fixed_dictionaries({"models": json_values | st.dictionaries(st.text(), entries)}))
def test_random_json_is_read_or_refused(value: object) -> None:
    load_or_refuse(json.dumps(value).encode())


def test_deeply_nested_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(b"[" * 200_000)
    with pytest.raises(WeightsError, match="cannot be used"):
        load_manifest(tmp_path)


def test_the_shipped_models_match_the_manifest() -> None:
    models = load_manifest(weights_dir())
    assert models
    for model in models.values():
        assert model.licence
        for file in (model, *model.variants.values()):
            assert file.verified().is_file()


def with_variants(**suits: dict[str, list[str]]) -> dict[str, object]:
    variants = {
        precision: {"file": f"{precision}.onnx", "sha256": "0" * 64, "meta": {"suits": backends}}
        for precision, backends in suits.items()
    }
    return entry(meta={"precision": "fp32", "nme_percent": 3.3}, variants=variants)


def test_a_variant_is_used_only_where_it_suits(tmp_path: Path) -> None:
    write_manifest(
        tmp_path, net=with_variants(int8={"cpu": ["vnni", "dot"], "openvino": []}, fp16={"cuda": []})
    )
    model = find_model("net", "landmarks", tmp_path)
    assert model.best_for("cpu", ("avx2", "vnni")).path == tmp_path / "int8.onnx"
    assert model.best_for("cpu", ("dot",)).precision == "int8"
    assert model.best_for("cpu", ("avx2",)) is model
    assert model.best_for("openvino", ()).precision == "int8"
    assert model.best_for("cuda", ()).precision == "fp16"
    assert model.best_for("tpu", ("vnni",)) is model


def test_a_precision_is_chosen_by_name_or_refused_with_a_list(tmp_path: Path) -> None:
    write_manifest(tmp_path, net=with_variants(int8={"cpu": ["vnni"]}))
    model = find_model("net", "landmarks", tmp_path)
    assert model.in_precision("fp32") is model
    assert model.in_precision("int8").path == tmp_path / "int8.onnx"
    with pytest.raises(WeightsError, match="no 'int4' file: choose one of fp32, int8"):
        model.in_precision("int4")


def test_a_variant_is_verified_by_its_own_hash(tmp_path: Path) -> None:
    write_manifest(tmp_path, net=with_variants(int8={"cpu": []}))
    (tmp_path / "int8.onnx").write_bytes(CONTENT)
    with pytest.raises(WeightsError, match=r"int8\.onnx differ"):
        find_model("net", "landmarks", tmp_path).best_for("cpu", ()).verified()


@pytest.mark.parametrize(
    "variants",
    [
        3,
        ["int8"],
        {"int8": None},
        {"int8": {"file": "a", "sha256": "0" * 64}},
        {"int8": {"file": "a", "sha256": "0" * 64, "meta": {"suits": ["cpu"]}}},
        {"int8": {"file": "a", "sha256": "0" * 64, "meta": {"suits": {"cpu": [1]}}}},
        {"int8": {"file": "a", "sha256": "0" * 64, "meta": {"suits": {"cpu": None}}}},
        {"int8": {"file": "a", "sha256": "cafe", "meta": {"suits": {}}}},
    ],
)
def test_a_variant_with_a_wrong_value_is_refused(tmp_path: Path, variants: Any) -> None:
    with pytest.raises(WeightsError):
        load_manifest(write_manifest(tmp_path, net=entry(meta={}, variants=variants)))


@pytest.mark.parametrize(
    "file", ["../m.onnx", "/etc/passwd", "sub/m.onnx", "..", "", "C:m.onnx", "a\\m.onnx"]
)
def test_a_manifest_refers_to_no_other_folder(tmp_path: Path, file: str) -> None:
    write_manifest(tmp_path, m=entry(file=file))
    with pytest.raises(WeightsError, match="beside the manifest"):
        load_manifest(tmp_path)
    variant = {"int8": {"file": file, "sha256": "0" * 64, "meta": {"suits": {"cpu": []}}}}
    write_manifest(tmp_path, m=entry(variants=variant))
    with pytest.raises(WeightsError, match="beside the manifest"):
        load_manifest(tmp_path)
