"""Dockerfile and compose file: the extra that they install, the port, and no more rights than needed."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.cli import REPO
from tracker.serve.settings import Access

yaml = pytest.importorskip("yaml")

DOCKERFILE = (REPO / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: Any = yaml.safe_load((REPO / "compose.yaml").read_text(encoding="utf-8"))
SERVICE = COMPOSE["services"]["tracker"]


def test_the_image_has_the_packages_of_the_extra() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert re.findall(r'"([a-z]+[>=][^"]+)"', DOCKERFILE) == project["optional-dependencies"]["serve"]


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    kept = {line[1:] for line in (REPO / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [name for line in re.findall(r"(?m)^COPY (?!--)(.+) \S+$", DOCKERFILE) for name in line.split()]
    assert len(copied) == 6
    assert set(copied) == kept
    assert all((REPO / name).exists() for name in copied)


def test_the_port_is_that_of_the_command_and_bound_to_this_computer() -> None:
    assert f"EXPOSE {Access().port}\n" in DOCKERFILE
    assert f"localhost:{Access().port}/api/health" in DOCKERFILE
    assert SERVICE["ports"] == [f"127.0.0.1:{Access().port}:{Access().port}"]


def test_it_runs_without_root_and_cannot_write() -> None:
    user = re.findall(r"(?m)^USER (\d+):\d+$", DOCKERFILE)
    assert user[-1] != "0"
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
