"""Entry point of ``python -m tracker``, the same as the command ``tracker``."""

from tracker.cli.main import run_process

run_process()
