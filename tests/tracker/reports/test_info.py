"""The report of ``tracker info``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.inference.weights import ModelFile
from tracker.reports import info


def model(**meta: object) -> ModelFile:
    return ModelFile(
        "net", "landmarks", Path("net.int8.onnx"), "0" * 64, "MIT", {"precision": "int8", **meta}
    )


@pytest.mark.parametrize(
    ("flags", "note"),
    [
        (("avx_vnni",), "  taken here on cpu"),
        (("avx2",), "  not taken here on cpu"),
        ((), "  not taken here on cpu"),
    ],
)
def test_a_variant_notes_whether_this_processor_prefers_it(
    monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], note: str
) -> None:
    monkeypatch.setattr(info, "cpu_flags", lambda: flags)
    assert info.model_notes(model(suits={"cpu": ["avx512_vnni", "avx_vnni"]})) == note
    assert info.model_notes(model(suits={"cuda": []})) == "  taken here on cuda"


def test_accuracy_is_noted_with_its_sign() -> None:
    assert info.model_notes(model(nme_percent=3.3)) == "  NME 3.3 %"
    assert info.model_notes(model(nme_loss=0.02)) == "  NME +0.02 points"
    assert info.model_notes(model()) == ""
