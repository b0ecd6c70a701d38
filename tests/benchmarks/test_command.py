import subprocess
import sys

import pytest

pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["peers", "--backend", "tpu", "--frames", "10"], "unknown backend 'tpu'"),
        (["peers", "--dlib", "/no/python", "--frames", "10"], "dlib cannot be started: /no/python"),
        (["sessions", "--model", "none"], "unknown landmarks model 'none'"),
        (["frontier", "--json", "/no/folder/f.json"], "/no/folder"),
    ],
)
def test_what_cannot_be_measured_is_one_line(arguments, said) -> None:
    name, *options = arguments
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("benchmark: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
