"""Exit codes of runs that a signal ends."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import av
import pytest

from tests.cache import Clips
from tests.cli import (
    json_lines,
    line_count,
    start_cli,
    wait_until,
)
from tests.media import frame_count
from tracker.cli import main as cli_main


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_a_video_and_leaves_complete_files(
    tmp_path: Path, ending: signal.Signals, code: int, clips: Clips
) -> None:
    video = clips.faces(20)
    looped = tmp_path / "long.mp4"
    with av.open(str(looped), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 320, "yuv420p"
        with av.open(str(video)) as source:
            pictures = [frame.to_ndarray(format="bgr24") for frame in source.decode(video=0)]
        for _ in range(100):
            for image in pictures:
                out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    args = ("--video", looped, "--output", tmp_path / "o.mp4", "--json", tmp_path / "o.jsonl", "--no-window")
    lines = tmp_path / "o.jsonl"
    with start_cli(*args) as process:
        wait_until(lambda: line_count(lines) > 10, process)
        process.send_signal(ending)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    written = len(json_lines(lines))
    assert 10 < written < 2000
    assert abs(frame_count(tmp_path / "o.mp4") - written) <= 1


@pytest.mark.parametrize("is_waiting", [False, True])
def test_a_process_with_a_thread_in_native_code_ends_without_shutdown(
    is_waiting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    waiting = threading.Thread(target=lambda: None, daemon=True)
    threads = [threading.main_thread(), *([waiting] if is_waiting else [])]
    with monkeypatch.context() as patch:
        patch.setattr(cli_main, "main", lambda: sys.exit(130))
        patch.setattr("threading.enumerate", lambda: threads)
        patch.setattr("os._exit", ended.append)
        with nullcontext() if is_waiting else pytest.raises(SystemExit, match="130"):
            cli_main.run_process()
    assert ended == ([130] if is_waiting else [])
