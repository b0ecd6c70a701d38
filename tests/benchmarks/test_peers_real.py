"""The peers themselves, if the environment names an interpreter with them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.contender import Contender
from benchmarks.peer_loop import MODES
from benchmarks.peers import PEERS, entrants
from tracker.reports.bench.clip import portrait_frames

FRAMES = 5
# Libraries that send usage data may not do so in CI: hide it, to see what users get.
ENV = {key: value for key, value in os.environ.items() if key not in ("CI", "TF_BUILD", "JENKINS_URL")}


Peer = tuple[str, str]  # name, interpreter


@pytest.fixture(params=PEERS)
def peer(request: pytest.FixtureRequest) -> Peer:
    name: str = request.param
    variable = f"{name.upper()}_PYTHON"
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"set {variable} to the interpreter of an environment that holds {name}")
    return name, python


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    """File of frames with one face."""
    path = tmp_path / "portrait.npy"
    np.save(path, np.stack([frame.image_bgr for frame in portrait_frames(FRAMES, (640, 480))]))
    return path


def command_of(peer: Peer, frames: Path, mode: str) -> Sequence[str]:
    name, python = peer
    (only,) = entrants(mode, frames, {name: Path(python)}, [])
    return only.command


@pytest.mark.parametrize("mode", MODES)
def test_a_peer_finds_the_face_and_none_in_grey_frames(
    peer: Peer, portrait: Path, mode: str, tmp_path: Path
) -> None:
    grey = tmp_path / "grey.npy"
    np.save(grey, np.full((FRAMES, 480, 640, 3), 90, np.uint8))
    for frames, found in ((portrait, FRAMES), (grey, 0)):
        with Contender(peer[0], command_of(peer, frames, mode)) as contender:
            assert contender.version.startswith(peer[0])
            result = contender.round()
        assert result.found == found
        assert len(result.ms) == FRAMES
        assert min(result.ms) > 0


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_a_peer_opens_no_internet_socket(peer: Peer, portrait: Path, tmp_path: Path) -> None:
    log = tmp_path / "trace"
    command = [
        "strace",
        "-f",
        "-e",
        "trace=socket,connect",
        "-o",
        str(log),
        *command_of(peer, portrait, "video"),
    ]
    done = subprocess.run(command, input="round\n", env=ENV, capture_output=True, text=True, timeout=300)
    if "Operation not permitted" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    assert f'"found": {FRAMES}' in done.stdout
    assert "exited with 0" in log.read_text()
    assert "AF_INET" not in log.read_text()
