"""The converter compared with LiteRT's own numbers, and the files that it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces import HERE, astronaut
from tracker.errors import WeightsError
from tracker.inference.backends import open_session
from tracker.inference.weights import weights_dir

flatbuffer = pytest.importorskip("tflite", reason="needs the train extra")
pytest.importorskip("onnx", reason="needs the train extra")

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
        table = relu._tab  # noqa: SLF001 - flatbuffers has no other way to a field's place
        if offset := table.Offset(field):
            content[table.Pos + offset] = flatbuffer.BuiltinOperator.TANH
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
