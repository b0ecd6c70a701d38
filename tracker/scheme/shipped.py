"""Schemes that come with the tracker, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tracker.scheme.five import FIVE
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.imm58 import IMM58
from tracker.scheme.jd106 import JD106
from tracker.scheme.value import Scheme
from tracker.scheme.wflw98 import WFLW98

SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {scheme.name: scheme for scheme in (IBUG68, IMM58, WFLW98, FIVE, JD106)}
)
"""Shipped schemes by name."""
