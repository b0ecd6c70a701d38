"""The figures as tables that fit a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tracker.reports.bench.setting import STAGES, Process, Row

_Key = TypeVar("_Key")


def tables(rows: Sequence[Row], processes: Sequence[Process]) -> Iterator[Table]:
    """For each clip and mode one of whole frames and one of stages, a line for each setting; then memory."""
    for (width, height, faces, mode), group in _grouped(rows, _clip_and_mode):
        noun = "face" if faces == 1 else "faces"
        title = f"{width}x{height}, {faces} {noun}, {mode}"
        settings = [{row.stage: row for row in stages} for _, stages in _grouped(group, _setting)]
        yield _whole_frames(title, settings)
        yield _stages(settings)
    yield _process_table(processes)


def _whole_frames(title: str, settings: Sequence[dict[str, Row]]) -> Table:
    table = _table("setting", "median", "p95", "p99", "FPS")
    table.title, table.title_justify = title, "left"
    table.caption = "Milliseconds from a frame in memory to its landmarks."
    for stages in settings:
        row = stages["total"]
        milliseconds = (f"{value:.2f}" for value in (row.median_ms, row.p95_ms, row.p99_ms))
        table.add_row(_label(row), *milliseconds, f"{row.fps:.0f}")
    return table


def _stages(settings: Sequence[dict[str, Row]]) -> Table:
    names = STAGES[1:]
    table = _table("of which", *names)
    table.caption = "Median milliseconds where a stage ran; decode and draw come on top."
    for stages in settings:
        cells = [f"{stages[name].median_ms:.2f}" if name in stages else "" for name in names]
        table.add_row(_label(stages["total"]), *cells)
    return table


def _process_table(processes: Sequence[Process]) -> Table:
    table = _table("process", "start to first result, s", "peak memory, MB")
    for p in processes:
        what = f"{p.model} {p.precision}, {p.backend}, {p.threads} threads, {p.width}x{p.height}, {p.faces}"
        memory = "" if p.peak_mb is None else f"{p.peak_mb:.0f}"
        table.add_row(what, f"{p.start_s:.2f}", memory)
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=SIMPLE_HEAD, caption_justify="left", padding=(0, 0, 0, 1))
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _label(row: Row) -> str:
    runs_on = row.provider.removesuffix("ExecutionProvider")
    return f"{row.model} {row.precision}, {runs_on}, {row.threads}"


def _clip_and_mode(row: Row) -> tuple[int, int, int, str]:
    return row.width, row.height, row.faces, row.mode


def _setting(row: Row) -> tuple[str, str, str, int]:
    return row.model, row.precision, row.provider, row.threads


def _grouped(rows: Sequence[Row], key: Callable[[Row], _Key]) -> Iterator[tuple[_Key, list[Row]]]:
    """Rows with equal keys together, groups in the order of their first rows."""
    groups: dict[_Key, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    yield from groups.items()
