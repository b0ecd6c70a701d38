"""``tracker serve``: usage, the missing extra, and defaults; tests/tracker/serve tests real servers."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.cli import assert_one_line_error, run_cli
from tests.serving import serving
from tracker.cli.serve import PACKAGES, serve
from tracker.serve.settings import Access, Limits, ServerSettings
from tracker.tracking.opening import TrackerOptions


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--camera", "0", "--video", "in.mp4"), "only one of"),
        (("--camera", ""), "name is empty"),
        (("--video", "http://a/b.mp4"), "--camera URL"),
        (("--size", "640x480"), "--size"),
        (("--video", "in.mp4", "--fps", "30"), "--fps"),
        (("--anonymise", "blur"), "give --camera or --video"),
        (("--draw", "points"), "--draw"),
        (("--camera", "0", "--anonymise", "points", "--draw", "none"), "--draw none"),
        (("--camera", "0", "--mask-scale", "2"), "--anonymise blur"),
        (("--key", "k.pem"), "--certificate"),
        (("--port", "65536"), "65535"),
        (("--workers", "-1"), "--workers"),
        (("photo.jpg",), "photo.jpg"),
    ],
)
def test_wrong_usage_is_told_before_anything_opens(arguments: tuple[str, ...], words: str) -> None:
    done = run_cli("serve", *arguments)
    assert done.exit_code == 2, done.stderr
    assert words in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_missing_package_is_one_line_with_the_extra(package: str) -> None:
    done = run_cli("serve", "--video", "gone.mp4", without=[package])
    assert_one_line_error(done, f"needs {package}, which is not installed: pip install ", "serve")


def test_an_unknown_model_is_one_line() -> None:
    assert_one_line_error(run_cli("serve", "--port", "0", "--model", "x"), "'x'", "resnet18")


def test_the_defaults_are_those_of_the_settings() -> None:
    parameters = inspect.signature(serve).parameters
    settings = ServerSettings()
    defaults: dict[str, Any] = asdict(TrackerOptions()) | {
        "host": Access().host,
        "port": Access().port,
        "workers": settings.workers,
        "max_connections": Limits().connections,
    }
    for name in ("max_still_faces", "max_faces", "boxes"):  # boxes are those of one film
        del defaults[name]
    assert {name: parameters[name].default for name in defaults} == defaults


def test_without_a_screen_a_line_says_that_the_page_is_not_opened() -> None:
    with serving("--open") as server:
        assert server.process.stderr is not None
        lines = [server.process.stderr.readline() for _ in range(2)]
    assert lines[0] == "tracker: Ctrl-C ends the server\n"
    assert lines[1].startswith("tracker: the page is not opened: ")


def test_a_token_file_is_read_before_the_source_opens(tmp_path: Path) -> None:
    done = run_cli("serve", "--port", "0", "--token-file", tmp_path / "none", "--video", "gone.mp4")
    assert_one_line_error(done, "cannot read", "none")
