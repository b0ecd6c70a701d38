"""The description of the computer."""

from __future__ import annotations

import os
import platform
import time
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


def test_busy_share_is_that_of_all_cores_without_idle_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = tmp_path / "stat"
    monkeypatch.setattr(machine, "_STAT", stat)
    assert machine.busy_share() is None
    #           user nice system idle iowait irq softirq steal guest
    stat.write_text("cpu 100 0 50 800 50 0 0 0 77\ncpu0 1 1 1 1\n")

    def pass_time(_: float) -> None:
        stat.write_text("cpu 130 0 60 850 60 0 0 0 99\n")  # 40 busy, 60 idle or waiting for a disk

    monkeypatch.setattr(time, "sleep", pass_time)
    assert machine.busy_share() == pytest.approx(0.4)
