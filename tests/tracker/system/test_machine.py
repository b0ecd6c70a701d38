"""The description of the computer."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import pytest

from tracker.system import machine

CPUINFO = """processor\t: 0
model name\t: Example: Processor 9
flags\t\t: fpu avx2 avx512f amx_int8 avx512_vnni_like

processor\t: 1
model name\t: another
"""


def test_model_name_and_inference_flags_are_those_of_the_first_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(CPUINFO)
    monkeypatch.setattr(machine, "_CPUINFO", path)
    found = machine.describe_machine()
    assert found["cpu"] == "Example: Processor 9"
    assert found["flags"] == ["avx2", "avx512f", "amx_int8"]
    assert found["cores"] == os.cpu_count()


def test_without_cpuinfo_the_platform_names_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "none")
    found = machine.describe_machine()
    assert found["cpu"] == (platform.processor() or platform.machine())
    assert found["flags"] == []


def test_library_versions_lists_installed_libraries_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LIBRARIES", ("numpy", "no-such-library"))
    assert machine.library_versions() == {"numpy": version("numpy")}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs processor affinity")
def test_usable_cores_follow_the_processor_affinity() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert machine.usable_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
