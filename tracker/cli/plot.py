"""The command ``tracker plot``.

Modules that take long to import are imported after usage is checked.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from tracker.cli.exit_codes import interruptible
from tracker.cli.messages import say
from tracker.cli.options import named_path
from tracker.errors import SinkError
from tracker.system.signals import raise_swallowed
from tracker.system.terminal import printable

SUFFIXES = (".png", ".html")
"""Suffixes of the files that are drawn."""


def plot(
    results: Annotated[
        Path, typer.Argument(parser=named_path, metavar="RESULTS.jsonl", help="What --json wrote.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            parser=named_path,
            metavar="FILE.png|FILE.html",
            help="Default: RESULTS.png, beside the results, unless that is another file.",
        ),
    ] = None,
) -> None:
    """Plot a run over time: which faces were there, head pose, eyes and blinks, mouth, scores.

    `tracker plot out.jsonl` draws out.png; `--output out.html` makes a self-contained page with a table.
    (Extra: plot.)
    """
    if not results.name:
        raise typer.BadParameter("RESULTS.jsonl is the file that --json wrote, got a folder or an empty name")
    target = results.with_suffix(".png") if output is None else output
    if target.suffix.lower() not in SUFFIXES:
        raise typer.BadParameter(f"--output ends in {' or '.join(SUFFIXES)}, got {printable(target.name)!r}")
    with interruptible(writes=False):  # the plot is whole, or not there
        _draw(results, target, is_default=output is None)
        typer.echo(printable(str(target)))


def _draw(results: Path, target: Path, is_default: bool) -> None:
    from tracker.errors import ResultsError
    from tracker.reports.plot.timeline import timeline
    from tracker.sinks.json_lines import read_results
    from tracker.system.files import check_output, guarded_write, write_whole

    check_output(target, [results])
    if results.exists() and not results.is_file():  # to open a pipe would wait for its writer
        raise ResultsError(f"{results} is not a file: save what --json wrote in one, and give its name")
    found = read_results(results)
    if found.cut_off:
        say(f"{results} breaks off in line {found.cut_off}: drawn up to there")
    _keep_others(target, is_default, {line.source for line in found.lines})
    line = timeline(found.lines, str(results))
    from tracker.reports.plot.figure import draw_timeline
    from tracker.reports.plot.page import timeline_page

    data = timeline_page(line) if target.suffix.lower() == ".html" else draw_timeline(line, "png")
    raise_swallowed()
    with guarded_write(target):
        write_whole(target, data)


def _keep_others(target: Path, is_default: bool, sources: Collection[str]) -> None:
    """Refuse to replace a file that is no plot, if nobody named it or the results are of a file of that name.

    Results of ``photo.png`` are often named ``photo.jsonl``.
    """
    from tracker.reports.plot.ours import is_plot
    from tracker.system.files import guarded_write

    with guarded_write(target):
        if not (is_default or target.name in sources) or not target.exists() or is_plot(target):
            return
    other = target.with_name(f"{target.stem}-plot{target.suffix}")
    advice = f"give --output {shlex.quote(str(other))}"
    raise SinkError(f"cannot write {target}: it exists and is not a plot; {advice}")
