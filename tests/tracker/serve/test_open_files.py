"""Limit on open connections, by what the clients need and the system allows."""

from __future__ import annotations

import sys

import pytest

from tracker.serve.open_files import most_connections

if sys.platform == "win32":
    pytest.skip("limits of POSIX", allow_module_level=True)
else:
    import resource

WANTED = 4 * 64 + 64


class FakeLimits:
    """Limits on open files, of which the soft one may be raised up to the hard one, unless ``is_fixed``."""

    def __init__(self, soft: int, hard: int, is_fixed: bool = False) -> None:
        self.soft, self.hard, self.is_fixed = soft, hard, is_fixed

    def get(self, _: int) -> tuple[int, int]:
        return self.soft, self.hard

    def set(self, _: int, limits: tuple[int, int]) -> None:
        if self.is_fixed:
            raise ValueError("not allowed to raise maximum limit")
        assert limits[0] <= limits[1] or limits[1] == resource.RLIM_INFINITY
        self.soft, self.hard = limits


@pytest.mark.parametrize(
    ("limits", "most", "soft"),
    [
        (FakeLimits(1024, 4096), WANTED, 1024),
        (FakeLimits(256, 4096), WANTED, WANTED + 128),
        (FakeLimits(256, resource.RLIM_INFINITY), WANTED, WANTED + 128),
        (FakeLimits(resource.RLIM_INFINITY, resource.RLIM_INFINITY), WANTED, resource.RLIM_INFINITY),
        (FakeLimits(256, 300), 300 - 128, 300),
        (FakeLimits(256, 4096, is_fixed=True), 256 - 128, 256),
        (FakeLimits(64, 64), 1, 64),
    ],
)
def test_the_limit_on_files_is_raised_as_far_as_needed_and_allowed(
    monkeypatch: pytest.MonkeyPatch, limits: FakeLimits, most: int, soft: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", limits.get)
    monkeypatch.setattr(resource, "setrlimit", limits.set)
    assert most_connections(64) == most
    assert limits.soft == soft
