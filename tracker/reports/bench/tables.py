"""Tables of the measurements that fit a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tracker.reports.bench.records import STAGES, ProcessCost, StageTiming

_Key = TypeVar("_Key")


def tables(timings: Sequence[StageTiming], processes: Sequence[ProcessCost]) -> Iterator[Table]:
    """Yield for each clip and mode a table of whole frames and one of stages, then one of processes.

    Each table has one line per case.
    """
    for (width, height, faces, mode), group in _grouped(timings, _clip_and_mode):
        noun = "face" if faces == 1 else "faces"
        title = f"{width}x{height}, {faces} {noun}, {mode}"
        cases = [{timing.stage: timing for timing in stages} for _, stages in _grouped(group, _case)]
        yield _whole_frames(title, cases)
        yield _stages(cases)
    yield _process_table(processes)


def _whole_frames(title: str, cases: Sequence[Mapping[str, StageTiming]]) -> Table:
    table = _table("setting", "median", "p95", "p99", "FPS")
    table.title, table.title_justify = title, "left"
    table.caption = "Milliseconds from a frame in memory to its landmarks."
    for stages in cases:
        total = stages["total"]
        milliseconds = (f"{value:.2f}" for value in (total.median_ms, total.p95_ms, total.p99_ms))
        table.add_row(_label(total), *milliseconds, f"{total.fps:.0f}")
    return table


def _stages(cases: Sequence[Mapping[str, StageTiming]]) -> Table:
    names = STAGES[1:]
    table = _table("of which", *names)
    table.caption = "Median milliseconds where a stage ran; decode and draw come on top."
    for stages in cases:
        cells = [f"{stages[name].median_ms:.2f}" if name in stages else "" for name in names]
        table.add_row(_label(stages["total"]), *cells)
    return table


def _process_table(processes: Sequence[ProcessCost]) -> Table:
    table = _table("process", "start to first result, s", "peak memory, MB")
    for p in processes:
        case = f"{p.model} {p.precision}, {p.backend}, {p.threads} threads, {p.width}x{p.height}, {p.faces}"
        memory = "" if p.peak_mb is None else f"{p.peak_mb:.0f}"
        table.add_row(case, f"{p.start_s:.2f}", memory)
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=SIMPLE_HEAD, caption_justify="left", padding=(0, 0, 0, 1))
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _label(timing: StageTiming) -> str:
    provider = timing.provider.removesuffix("ExecutionProvider")
    return f"{timing.model} {timing.precision}, {provider}, {timing.threads}"


def _clip_and_mode(timing: StageTiming) -> tuple[int, int, int, str]:
    return timing.width, timing.height, timing.faces, timing.mode


def _case(timing: StageTiming) -> tuple[str, str, str, int]:
    return timing.model, timing.precision, timing.provider, timing.threads


def _grouped(
    timings: Sequence[StageTiming], key: Callable[[StageTiming], _Key]
) -> Iterator[tuple[_Key, list[StageTiming]]]:
    """Yield timings with equal keys together, groups in the order of their first timings."""
    groups: dict[_Key, list[StageTiming]] = {}
    for timing in timings:
        groups.setdefault(key(timing), []).append(timing)
    yield from groups.items()
