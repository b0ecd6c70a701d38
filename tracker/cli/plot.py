"""The command ``tracker plot``.

Modules that take long to import are imported after usage is checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracker.cli.exit_codes import interruptible
from tracker.cli.messages import say
from tracker.system.terminal import printable

SUFFIXES = (".png", ".html")
"""Suffixes of the files that are drawn."""


def plot(
    results: Annotated[Path, typer.Argument(metavar="RESULTS.jsonl", help="What --json wrote.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE.png|FILE.html", help="Default: RESULTS.png, beside the results."
        ),
    ] = None,
) -> None:
    """Draw a run over time: who was there and lost when, head pose, eyes and blinks, mouth, scores.

    `tracker plot out.jsonl` draws out.png; `--output out.html` is a page of its own, with a table.
    (Extra: plot.)
    """
    if not results.name:
        raise typer.BadParameter("RESULTS.jsonl is the file that --json wrote, got a folder or an empty name")
    target = results.with_suffix(".png") if output is None else output
    if target.suffix.lower() not in SUFFIXES:
        raise typer.BadParameter(f"--output ends in {' or '.join(SUFFIXES)}, got {printable(target.name)!r}")
    with interruptible():
        _draw(results, target)
        typer.echo(printable(str(target)))


def _draw(results: Path, target: Path) -> None:
    from tracker.reports.plot.timeline import timeline
    from tracker.sinks.json_lines import read_results
    from tracker.system.files import check_output, guarded_write

    check_output(target, [results])
    found = read_results(results)
    if found.cut_off:
        say(f"{results} breaks off in line {found.cut_off}: drawn up to there")
    line = timeline(found.lines, str(results))
    from tracker.reports.plot.figure import draw_timeline
    from tracker.reports.plot.page import timeline_page

    data = timeline_page(line) if target.suffix.lower() == ".html" else draw_timeline(line, "png")
    with guarded_write(target):
        target.write_bytes(data)
