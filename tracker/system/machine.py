"""What computer this is, for figures that mean nothing without it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = ("tracker", "numpy", "opencv-python", "onnxruntime-gpu", "onnxruntime", "openvino", "av")

_CPUINFO, _STAT = Path("/proc/cpuinfo"), Path("/proc/stat")
_TELLING_FLAGS = (
    *("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8"),
    *("asimddp", "i8mm"),
)


def describe_machine() -> dict[str, Any]:
    """Processor, its flags that matter to inference, system, library versions and load, for a report."""
    return {
        "cpu": _about_cpu().get("model name") or platform.processor() or platform.machine(),
        "flags": list(cpu_flags()),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **library_versions(),
        "load_1min": load(),
    }


def cpu_flags() -> tuple[str, ...]:
    """Instructions for fast inference that this processor has, as Linux names them; elsewhere none."""
    about = _about_cpu()
    flags = f"{about.get('flags', '')} {about.get('Features', '')}".split()  # the second on ARM
    return tuple(flag for flag in _TELLING_FLAGS if flag in flags)


def library_versions() -> dict[str, str]:
    """Versions of those of :data:`LIBRARIES` that are installed."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def load() -> float | None:
    """Processes that wanted a core in the last minute, on average; None where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def busy_share(seconds: float = 0.5) -> float | None:
    """Share 0..1 of all cores that is in use while this process sleeps for ``seconds``: the others'.

    None where the system does not say (it is read from Linux's /proc/stat).
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
    """Idle and all time of all cores together since the system started."""
    try:
        first = _STAT.read_text(encoding="ascii").partition("\n")[0]
    except OSError:
        return None
    ticks = [int(number) for number in first.split()[1:9]]  # guest time, beyond, is counted in user time
    return ticks[3] + ticks[4], sum(ticks)


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _about_cpu() -> Mapping[str, str]:
    """The first processor's entry of /proc/cpuinfo; empty where there is none."""
    try:
        first, _, _ = _CPUINFO.read_text(encoding="utf-8").partition("\n\n")
    except OSError:
        return {}
    fields = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in fields}
