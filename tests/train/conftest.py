"""Small data sets that the tests of the training side share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import write_300w
from tests.train.imm_files import write_imm


@pytest.fixture(scope="session")
def tiny_300w(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny 300-W of drawn faces; read it, never change it."""
    return write_300w(tmp_path_factory.mktemp("tiny_300w"))


@pytest.fixture(scope="session")
def tiny_imm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny IMM Face Database with a tiny 300-W beside it; read it, never change it."""
    return write_300w(write_imm(tmp_path_factory.mktemp("tiny_imm")))
