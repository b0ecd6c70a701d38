"""Benchmark of the page: a short run in a browser, and the time on the processor."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from benchmarks import serve_page
from benchmarks.serve_page import FRAMES, HEIGHT, WIDTH, processor_s, write_camera
from tests.cli import start_process
from tracker.errors import SourceError


def test_the_camera_holds_whole_frames(tmp_path: Path) -> None:
    data = write_camera(tmp_path / "camera.y4m").read_bytes()
    head, _, rest = data.partition(b"\n")
    assert f"W{WIDTH} H{HEIGHT}".encode() in head
    assert len(rest) == FRAMES * (len(b"FRAME\n") + WIDTH * HEIGHT * 3 // 2)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_time_on_the_processor_is_that_of_started_processes() -> None:
    busy = "import time\nwhile time.process_time() < 0.5: pass\nprint(1, flush=True)\ntime.sleep(600)"
    before_s = processor_s()
    with start_process([sys.executable, "-c", busy]) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 0.4 < processor_s() - before_s < 5


@pytest.mark.slow
@pytest.mark.browser
def test_a_short_run_has_figures_of_each_model(tmp_path: Path) -> None:
    pytest.importorskip("playwright", reason="playwright is not installed")
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    out = tmp_path / "page.json"
    serve_page.main(["unet-light"], "cpu", 3.0, out)
    (row,) = json.loads(out.read_text())["rows"]
    assert row["model"] == "unet-light"
    assert 0 < row["fps"] <= serve_page.FPS + 1
    assert 0 < row["drawn_ms"] <= row["painted_ms"]
    assert row["cpu_ms"] > 0


def test_a_server_that_does_not_start_is_one_line() -> None:
    with pytest.raises(SourceError, match="does not start"), serve_page.serving("no-such-model", "cpu"):
        pass
