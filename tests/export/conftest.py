"""Data, models and commands that the tests of the export share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.export.models import Run, copy_model
from tests.tiny import write_300w


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny 300-W of drawn faces; read it, never change it."""
    return write_300w(tmp_path_factory.mktemp("data"), train=8)


@pytest.fixture(scope="session")
def weights(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped ResNet18 with an eight-bit variant calibrated on drawn faces."""
    pytest.importorskip("torch")
    from export import variants

    copy = tmp_path_factory.mktemp("weights")
    copy_model("resnet18", copy)
    variants.write_int8("resnet18", copy, data)
    return copy


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run(argument, ...)`` runs ``python -m export`` in this process."""
    pytest.importorskip("torch")
    from export.cli import main

    def call(*arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", ["export", *map(str, arguments)])
        try:
            main()
        except SystemExit as left:
            if left.code:
                raise

    return call
