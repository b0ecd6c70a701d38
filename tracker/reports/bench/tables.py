"""Tables of the measurements that fit a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tracker.reports.bench.records import PARTS, ProcessCost, StageTiming, counted

_Key = TypeVar("_Key")


def tables(timings: Sequence[StageTiming], processes: Sequence[ProcessCost]) -> Iterator[Table]:
    """Yield for each clip, number of threads and mode a table of whole frames and one of stages.

    The last table is one of processes. Each table has one line per case.
    """
    for (width, height, faces, threads, mode), group in _grouped(timings, _setting):
        title = f"{width}x{height}, {counted(faces, 'face')}, {counted(threads, 'thread')}, {mode}"
        cases = [{timing.stage: timing for timing in stages} for _, stages in _grouped(group, _case)]
        yield _whole_frames(title, cases)
        yield _stages(cases)
    yield _process_table(processes)


def _whole_frames(title: str, cases: Sequence[Mapping[str, StageTiming]]) -> Table:
    table = _table("case", "mean", "median", "p95", "p99", "FPS", "decode", "draw")
    table.title, table.title_justify = title, "left"
    table.caption = (
        "Milliseconds from a frame in memory to its landmarks; FPS by the median. Decode and draw, means, "
        "come on top."
    )
    for stages in cases:
        total = stages["total"]
        figures = (total.mean_ms, total.median_ms, total.p95_ms, total.p99_ms)
        beside = (stages[name].mean_ms for name in ("decode", "draw"))
        cells = [f"{value:.2f}" for value in figures]
        table.add_row(total.label, *cells, f"{total.fps:.0f}", *(f"{value:.2f}" for value in beside))
    return table


def _stages(cases: Sequence[Mapping[str, StageTiming]]) -> Table:
    table = _table("of which", "detect", "where it ran", *PARTS[1:])
    table.caption = (
        "Mean milliseconds over all frames, 0 where a stage did not run: together they are the mean above. "
        "Where it ran: median of the frames with detection, and their number."
    )
    for stages in cases:
        means, detect = printed_means(stages), stages.get("detect")
        ran = f"{detect.median_ms:.2f} ({detect.frames})" if detect else ""
        table.add_row(stages["total"].label, means["detect"], ran, *(means[name] for name in PARTS[1:]))
    return table


def printed_means(stages: Mapping[str, StageTiming]) -> dict[str, str]:
    """Return the means of :data:`PARTS` with two decimals, which add up to that of ``total`` as printed.

    ``other`` is what the rounded stages leave of it.
    """
    shown = {name: Decimal(f"{stages[name].mean_ms if name in stages else 0:.2f}") for name in PARTS}
    of_stages = sum(value for name, value in shown.items() if name != "other")
    shown["other"] = Decimal(f"{stages['total'].mean_ms:.2f}") - of_stages
    return {name: str(value) for name, value in shown.items()}


def _process_table(processes: Sequence[ProcessCost]) -> Table:
    table = _table("process", "start to first result, s", "peak memory, MB")
    for p in processes:
        threads, faces = counted(p.threads, "thread"), counted(p.faces, "face")
        case = f"{p.model} {p.precision}, {p.backend}, {threads}, {p.width}x{p.height}, {faces}"
        memory = "" if p.peak_mb is None else f"{p.peak_mb:.0f}"
        table.add_row(case, f"{p.start_s:.2f}", memory)
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=SIMPLE_HEAD, caption_justify="left", padding=(0, 0, 0, 1))
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _setting(timing: StageTiming) -> tuple[int, int, int, int, str]:
    return timing.width, timing.height, timing.faces, timing.threads, timing.mode


def _case(timing: StageTiming) -> tuple[str, str, str]:
    return timing.model, timing.precision, timing.provider


def _grouped(
    timings: Sequence[StageTiming], key: Callable[[StageTiming], _Key]
) -> Iterator[tuple[_Key, list[StageTiming]]]:
    """Yield timings with equal keys together, groups in the order of their first timings."""
    groups: dict[_Key, list[StageTiming]] = {}
    for timing in timings:
        groups.setdefault(key(timing), []).append(timing)
    yield from groups.items()
