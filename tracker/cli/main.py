"""Entry point of the command line: the commands, and errors as one line with an exit code.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

import typer

from tracker.cli.batch import batch
from tracker.cli.bench import bench
from tracker.cli.exit_codes import EXIT_ERROR, EXIT_INTERRUPTED, interruptible
from tracker.cli.messages import say
from tracker.cli.plot import plot
from tracker.cli.track import track
from tracker.errors import ReaderGoneError, TrackerError

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback(invoke_without_command=True)(track)


@app.command()
def info() -> None:
    """Say what works here: backends that really open, models with their hashes, cameras, versions."""
    from tracker.reports.info import describe

    with interruptible():
        typer.echo(describe())


app.command()(batch)
app.command()(bench)
app.command()(plot)


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
        others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
        if not isinstance(ending.code, int) or not any(thread.daemon for thread in others):
            raise
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                if stream is not None:  # it was closed by the shell
                    stream.flush()
        os._exit(ending.code)
