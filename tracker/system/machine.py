"""Description of the computer: processor, cores, load and library versions, for measurement reports."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.distribution import DISTRIBUTION, installed
from tracker.system.libraries import ONNX_RUNTIME, OPENCV

LIBRARIES = (DISTRIBUTION, "numpy", *OPENCV.builds, *ONNX_RUNTIME.builds, "openvino", "av")

_CPUINFO, _STAT = Path("/proc/cpuinfo"), Path("/proc/stat")
_INFERENCE_FLAGS = (
    *("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8"),
    *("asimddp", "i8mm"),
)


def describe_machine() -> dict[str, Any]:
    """Return processor, its flags for inference, cores, system, library versions and load, as JSON types."""
    return {
        "cpu": _read_cpuinfo().get("model name") or platform.processor() or platform.machine(),
        "flags": list(cpu_flags()),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **library_versions(),
        "load_1min": load(),
    }


def cpu_flags() -> tuple[str, ...]:
    """Return the instruction sets for fast inference of this processor, by their Linux names.

    Empty on other systems.
    """
    fields = _read_cpuinfo()
    flags = f"{fields.get('flags', '')} {fields.get('Features', '')}".split()  # the second on ARM
    return tuple(flag for flag in _INFERENCE_FLAGS if flag in flags)


def library_versions() -> dict[str, str]:
    """Return the versions of the installed ones of :data:`LIBRARIES`."""
    return installed(LIBRARIES)


def load() -> float | None:
    """Return the load average of the last minute, or None on systems without one."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def busy_share(seconds: float = 0.5) -> float | None:
    """Return the share 0..1 of all cores that other processes use, measured over ``seconds`` of sleep.

    None on systems without /proc/stat.
    """
    before = _cpu_ticks()
    if before is None:
        return None
    time.sleep(seconds)
    after = _cpu_ticks()
    if after is None:
        return None
    idle, total = (end - start for start, end in zip(before, after, strict=True))
    return 1 - idle / total if total > 0 else 0.0


def _cpu_ticks() -> tuple[int, int] | None:
    """Return idle and total time of all cores together since the system started, in clock ticks."""
    try:
        first = _STAT.read_text(encoding="ascii").partition("\n")[0]
    except OSError:
        return None
    ticks = [int(number) for number in first.split()[1:9]]  # guest time, which follows, is part of user time
    return ticks[3] + ticks[4], sum(ticks)


def usable_cores() -> int:
    """Return the number of cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _read_cpuinfo() -> Mapping[str, str]:
    """Return the fields of the first processor in /proc/cpuinfo, or none without that file."""
    try:
        first, _, _ = _CPUINFO.read_text(encoding="utf-8").partition("\n\n")
    except OSError:
        return {}
    fields = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in fields}
