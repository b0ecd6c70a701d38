"""Entry point of ``python -m tracker`` and of the command ``tracker``."""

from tracker.system.signals import end_on_interrupt


def run() -> None:
    """Run the command line as a process of its own; Ctrl-C ends it cleanly from the first import on."""
    end_on_interrupt()
    from tracker.cli.main import run_process  # typer takes a tenth of a second

    run_process()


if __name__ == "__main__":
    run()
