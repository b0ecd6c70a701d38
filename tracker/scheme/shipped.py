"""Schemes that come with the tracker, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme

SCHEMES: Mapping[str, Scheme] = MappingProxyType({scheme.name: scheme for scheme in (IBUG68,)})
"""Shipped schemes by name."""
