"""No network connections: both runtimes report their use unless that is switched off."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
# The runtimes report nothing on CI machines, so the tests pretend that this is none.
ENV = {key: value for key, value in os.environ.items() if key not in ("CI", "TF_BUILD", "JENKINS_URL")}
RUNS = {
    "images": ["--images", "tracker/assets/astronaut.jpg", "--json", os.devnull],
    "bench": ["bench", "--frames", "400", "--under-load"],
    "info": ["info"],
}


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("run", RUNS)
def test_no_internet_socket_is_opened(run: str, tmp_path: Path) -> None:
    log = tmp_path / "trace"
    command = ["strace", "-f", "-e", "trace=socket,connect", "-o", str(log)]
    command += [sys.executable, "-m", "tracker", *RUNS[run]]
    done = subprocess.run(command, cwd=REPO, env=ENV, capture_output=True, text=True, timeout=300)
    if "Operation not permitted" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    assert "exited with 0" in log.read_text()
    assert "AF_INET" not in log.read_text()


def test_reporting_is_off_before_the_runtime_loads() -> None:
    code = (
        "import os, sys, builtins; real = builtins.__import__\n"
        "def spy(name, *args, **kwargs):\n"
        "    if name == 'onnxruntime' and 'onnxruntime' not in sys.modules:\n"
        "        print(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "    return real(name, *args, **kwargs)\n"
        "builtins.__import__ = spy\n"
        "import tracker.inference.backends"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, env=ENV, capture_output=True, text=True)
    assert done.stdout == "1\n", done.stderr
