"""Entry point of the command line: the commands, and errors as one line with an exit code.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tracker.cli.batch import batch
from tracker.cli.bench import bench
from tracker.cli.demo import demo
from tracker.cli.exit_codes import EXIT_ERROR, EXIT_INTERRUPTED, interruptible
from tracker.cli.messages import say
from tracker.cli.options import PANELS
from tracker.cli.plot import plot
from tracker.cli.serve import serve
from tracker.cli.track import track
from tracker.errors import ReaderGoneError, TrackerError
from tracker.system.addresses import masked
from tracker.system.signals import ignore_interrupts

_UsageError: type[BaseException] = typer.BadParameter.__mro__[1]  # typer has no name for it


_PANEL_OF = {name: panel for panel, names in PANELS.items() for name in names}
_ORDER = list(_PANEL_OF)


class _Commands(TyperGroup):
    """Commands, and files to track without one.

    A command's name stands first. Whatever else stands there is an option or a file, and options may follow
    files. Usage errors show no secrets of the addresses among the arguments.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_command = bool(args) and args[0] in self.commands
        ctx.allow_interspersed_args = not is_command
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters; files only where no command stands, and none to complete its name."""
        params = sorted(super().get_params(ctx), key=lambda param: _ORDER.index(param.name))
        for param in params:
            vars(param)["rich_help_panel"] = _PANEL_OF[param.name]  # also of those that typer adds
        if ctx.allow_interspersed_args and not ctx.resilient_parsing:
            return params
        return [param for param in params if param.param_type_name != "argument"]

    def make_context(self, *args: Any, **extra: Any) -> Any:
        with _masked_usage():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _masked_usage():
            return super().invoke(ctx)


@contextmanager
def _masked_usage() -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        vars(error)["message"] = masked(str(vars(error)["message"]))
        raise


app = typer.Typer(
    cls=_Commands,
    subcommand_metavar="| COMMAND ...",
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback(invoke_without_command=True)(track)


@app.command()
def info(
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="Name or ONNX file of a landmark model to describe instead."),
    ] = None,
) -> None:
    """Show what works on this computer: backends that open, models and their hashes, cameras, versions."""
    with interruptible(writes=False):
        if model is None:
            from tracker.reports.info import describe

            typer.echo(describe())
        else:
            from tracker.reports.model_info import describe_model

            typer.echo(describe_model(model))


app.command()(batch)
app.command()(bench)
app.command()(plot)
app.command()(demo)
app.command()(serve)


def main() -> None:
    """Run the command line. Exit codes: 0 done or quit, 1 one-line error, 2 wrong usage, 130 Ctrl-C."""
    try:
        app()
    except ReaderGoneError:  # the reader of `tracker --json - | head -1` has ended: no error
        sys.exit(0)
    except TrackerError as error:
        say(str(error))
        sys.exit(EXIT_ERROR)
    except OSError as error:  # not foreseen by any module: a full standard output, a removed working folder
        say(f"{error.strerror or error}: {error.filename or 'standard output'}")
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def run_process() -> None:
    """Run :func:`main` as a process of its own, and end it.

    A capture thread may still wait inside native code, for an answer of a network camera. Shutting the
    interpreter down under it can crash, after all files are closed: then the process ends without that.
    """
    try:
        main()
    except SystemExit as ending:
        ignore_interrupts()
        others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
        if not isinstance(ending.code, int) or not any(thread.daemon for thread in others):
            raise
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                if stream is not None:  # it was closed by the shell
                    stream.flush()
        os._exit(ending.code)
