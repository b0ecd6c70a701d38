from __future__ import annotations

import importlib

import pytest

from tests.cli import assert_one_line_error, run_main

pytest.importorskip("torch")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("peers", ["--backend", "tpu", "--frames", "10"], "unknown backend 'tpu'"),
        ("peers", ["--dlib", "/no/python", "--frames", "10"], "dlib cannot be started: /no/python"),
        ("sessions", ["--model", "none"], "unknown landmarks model 'none'"),
        ("frontier", ["--json", "/no/folder/f.json"], "/no/folder"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(name: str, options: list[str], said: str) -> None:
    from benchmarks.command import run_command

    module = importlib.import_module(f"benchmarks.{name}")
    done = run_main(lambda: run_command(module.main), *options, package="benchmarks")
    assert_one_line_error(done, said, program="benchmark")
