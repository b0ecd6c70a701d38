"""Hypothesis strategies and settings shared by the tests."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

EVERYDAY_EXAMPLES = 15


def examples(full: int) -> settings:
    """Return settings for ``full`` examples in the profile ``ci``, and at most 15 in everyday runs."""
    everyday = settings.default is not None and settings.default.max_examples <= EVERYDAY_EXAMPLES
    return settings(max_examples=min(full, EVERYDAY_EXAMPLES) if everyday else full)


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Return floats without denormals.

    An open ONNX Runtime session sets denormals to zero in the whole process.
    """
    return st.floats(low, high, allow_subnormal=False)
