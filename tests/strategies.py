"""What hypothesis draws from in these tests."""

from __future__ import annotations

from hypothesis import strategies as st


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Without denormals: an open ONNX Runtime session sets them to zero in the whole process."""
    return st.floats(low, high, allow_subnormal=False)
