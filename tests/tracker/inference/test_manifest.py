"""Manifests as the export tools write them, read back by the tracker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from export.manifest import record_nme, update_meta, write_entry
from tracker.errors import WeightsError
from tracker.inference.weights import find_model, load_manifest


def add(folder: Path, name: str, content: bytes) -> None:
    (folder / f"{name}.onnx").write_bytes(content)
    write_entry(folder, name, "landmarks", f"{name}.onnx", "MIT", {"precision": "fp32"})


def test_an_entry_verifies_until_its_file_changes(tmp_path: Path) -> None:
    add(tmp_path, "a", b"one")
    assert find_model("a", "landmarks", tmp_path).verified() == tmp_path / "a.onnx"
    (tmp_path / "a.onnx").write_bytes(b"two")
    with pytest.raises(WeightsError, match="sha256"):
        find_model("a", "landmarks", tmp_path).verified()
    add(tmp_path, "a", b"two")
    find_model("a", "landmarks", tmp_path).verified()


def test_a_manifest_does_not_depend_on_the_order_of_writing(tmp_path: Path) -> None:
    texts = []
    for order in ("ab", "ba"):
        folder = tmp_path / order
        folder.mkdir()
        for name in order:
            add(folder, name, name.encode())
        texts.append((folder / "manifest.json").read_bytes())
    assert texts[0] == texts[1]


def test_meta_is_merged_and_other_entries_stay(tmp_path: Path) -> None:
    add(tmp_path, "a", b"one")
    add(tmp_path, "b", b"two")
    update_meta(tmp_path, "a", {"nme_percent": 3.2})
    models = load_manifest(tmp_path)
    assert models["a"].meta == {"precision": "fp32", "nme_percent": 3.2}
    assert models["b"].meta == {"precision": "fp32"}
    with pytest.raises(WeightsError, match="no model 'c'"):
        update_meta(tmp_path, "c", {})


def test_a_missing_file_gets_no_entry(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.onnx"):
        write_entry(tmp_path, "gone", "landmarks", "gone.onnx", "MIT", {})
    assert not (tmp_path / "manifest.json").exists()


def test_only_a_complete_evaluation_is_recorded(tmp_path: Path) -> None:
    add(tmp_path, "a", b"one")
    report = tmp_path / "e.json"
    scores = [{"subset": "lfpw", "nme_mean": 9.0}, {"subset": "lfpw + helen", "nme_mean": 3.456}]
    report.write_text(json.dumps({"model": "a", "complete": False, "scores": scores}))
    with pytest.raises(WeightsError, match="a part of the test set"):
        record_nme(tmp_path, "a", report)
    report.write_text(json.dumps({"model": "a", "complete": True, "scores": scores}))
    record_nme(tmp_path, "a", report)
    assert load_manifest(tmp_path)["a"].meta["nme_percent"] == 3.46


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"complete": true, "scores": []}', '{"complete": true}'])
def test_a_file_that_is_no_evaluation_is_refused(tmp_path: Path, text: str) -> None:
    add(tmp_path, "a", b"one")
    (tmp_path / "e.json").write_text(text)
    with pytest.raises(WeightsError, match="holds no evaluation"):
        record_nme(tmp_path, "a", tmp_path / "e.json")
