"""Check that the packages of the outputs are there, before anything is opened."""

from __future__ import annotations

from importlib.util import find_spec

from tracker.distribution import install_command
from tracker.errors import SinkError
from tracker.runs.targets import OutputTargets

PACKAGES = {
    "osc": ("pythonosc", "python-osc"),
    "parquet": ("pyarrow", "pyarrow"),
    "virtual-camera": ("pyvirtualcam", "pyvirtualcam"),
}
"""For each output that is an extra, by its option, the package to import and its name for people."""


def check_extras(targets: OutputTargets) -> None:
    """Raise :class:`~tracker.errors.SinkError` if an output is wanted whose package is not installed.

    Otherwise the user would be told last, after a missing camera and a missing screen.
    """
    for extra, (package, shown) in PACKAGES.items():
        if getattr(targets, extra.replace("-", "_")) and not find_spec(package):
            raise SinkError(f"--{extra} needs {shown}, which is not installed: {install_command(extra)}")
