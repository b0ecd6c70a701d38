"""The converter against LiteRT's own numbers, and what it must refuse."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces import HERE, astronaut
from tracker.errors import WeightsError
from tracker.inference.backends import open_session
from tracker.inference.weights import find_model, load_manifest, weights_dir

flatbuffer = pytest.importorskip("tflite", reason="needs the train extra")
pytest.importorskip("onnx", reason="needs the train extra")

from export import blazeface  # noqa: E402
from export.manifest import update_meta, write_entry  # noqa: E402
from export.tflite import convert, same_padding  # noqa: E402

TFLITE = weights_dir() / "blazeface-short.tflite"
ONNX = weights_dir() / "blazeface-short.onnx"


def test_graph_computes_what_litert_computes() -> None:
    picture = astronaut()[8:392:3, 8:392:3, ::-1]
    golden = np.load(HERE / "data" / "blazeface_litert.npy")
    session = open_session(ONNX, "cpu", 1)
    for image, expected in zip((picture, picture[::-1]), golden, strict=True):
        boxes, logits = session.run(np.ascontiguousarray(image)[None])
        assert boxes.shape == (896, 16)
        assert logits.shape == (896,)
        got = np.column_stack([boxes, logits])[::7]
        # float32 sums of some 1e3 terms: 1e-5 of the largest value leaves room for the order only.
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_shipped_model_is_rebuilt_bit_for_bit_and_keeps_its_correction(tmp_path: Path) -> None:
    blazeface.build(TFLITE, tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert first[ONNX.name] == ONNX.read_bytes()
    assert first[TFLITE.name] == TFLITE.read_bytes()
    correction = {"box_correction": [[1.5, -2e-07], [3, 4]], "note": "a  [b]"}
    update_meta(tmp_path, blazeface.NAME, correction)
    blazeface.build(TFLITE, tmp_path)
    assert load_manifest(tmp_path)[blazeface.NAME].meta == correction
    update_meta(tmp_path, blazeface.NAME, {"box_correction": {}})
    assert (tmp_path / ONNX.name).read_bytes() == first[ONNX.name]


def test_tflite_is_found_inside_the_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "mediapipe.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(blazeface.WHEEL_MEMBER, TFLITE.read_bytes())
    assert blazeface.read_tflite(wheel) == TFLITE.read_bytes()


@pytest.mark.parametrize("name", ["missing.tflite", "missing.whl", "broken.whl", "other.whl", "other.tflite"])
def test_unusable_sources_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.whl").write_bytes(b"no zip")
    (tmp_path / "other.tflite").write_bytes(TFLITE.read_bytes()[:-1])
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("README", "no model in here")
    with pytest.raises(WeightsError, match=rf"{name}.*mediapipe 0\.10\.21"):
        blazeface.read_tflite(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"TFL3", bytes(100)])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(WeightsError, match="not a TFLite file"):
        convert(content)


def test_unknown_operator_is_refused_by_name() -> None:
    content = bytearray(TFLITE.read_bytes())
    model = flatbuffer.Model.GetRootAsModel(content, 0)
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    relu = next(code for code in codes if code.DeprecatedBuiltinCode() == flatbuffer.BuiltinOperator.RELU)
    for field in (4, 10):  # deprecated_builtin_code and builtin_code in the flatbuffer's vtable
        if offset := relu._tab.Offset(field):
            content[relu._tab.Pos + offset] = flatbuffer.BuiltinOperator.TANH
    with pytest.raises(WeightsError, match="operator TANH is not supported"):
        convert(bytes(content))


@given(size=st.integers(1, 300), kernel=st.integers(1, 9), stride=st.integers(1, 9))
def test_same_padding_gives_tflites_output_size_with_the_odd_zero_after(
    size: int, kernel: int, stride: int
) -> None:
    before, after = same_padding(size, kernel, stride)
    assert (size + before + after - kernel) // stride + 1 == -(-size // stride)
    assert after - before in (0, 1)
    assert before + after < max(kernel, 1)


def test_manifest_does_not_depend_on_the_order_of_writing(tmp_path: Path) -> None:
    texts = []
    for order in (("a", "b"), ("b", "a"), ("a", "b", "a")):
        folder = tmp_path / "".join(order)
        folder.mkdir()
        for name in order:
            (folder / name).write_bytes(name.encode())
            write_entry(folder, name, "detector", name, "MIT", {"z": 1, "a": 2})
        texts.append((folder / "manifest.json").read_bytes())
    assert texts[0] == texts[1] == texts[2]
    assert find_model("b", "detector", tmp_path / "ab").verified().read_bytes() == b"b"


def test_manifest_misuse_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.onnx cannot be read"):
        write_entry(tmp_path, "a", "detector", "gone.onnx", "MIT", {})
    with pytest.raises(WeightsError, match="no model 'a'"):
        update_meta(tmp_path, "a", {})
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(WeightsError, match="cannot be used"):
        update_meta(tmp_path, "a", {})
