"""Exit codes of runs that a signal ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import av
import numpy as np
import pytest

from tests.cache import Clips
from tests.cli import (
    REPO,
    json_lines,
    line_count,
    run_cli,
    run_code,
    start_cli,
    start_process,
    wait_until,
)
from tests.media import frame_count
from tracker.cli import main as cli_main
from tracker.cli import start


def long_film(folder: Path, clips: Clips) -> Path:
    """Write a film of 2000 frames with a face and return its path."""
    video = clips.faces(20)
    looped = folder / "long.mp4"
    with av.open(str(looped), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 320, "yuv420p"
        with av.open(str(video)) as source:
            pictures = [frame.to_ndarray(format="bgr24") for frame in source.decode(video=0)]
        for _ in range(100):
            for image in pictures:
                out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    return looped


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_a_video_and_leaves_complete_files(
    tmp_path: Path, ending: signal.Signals, code: int, clips: Clips
) -> None:
    looped = long_film(tmp_path, clips)
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


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("module", ["tracker.cli.main", "typer", "rich", "numpy", "cv2", "onnxruntime", "av"])
def test_ctrl_c_while_modules_are_imported_ends_without_a_traceback(tmp_path: Path, module: str) -> None:
    """The signal arrives as the import of ``module`` begins."""
    source = REPO / "tracker" / "assets" / "astronaut.jpg"
    code = (
        "import os, signal, sys\n"
        "def interrupt(event, arguments):\n"
        f"    if event == 'import' and arguments[0] == {module!r} and not sent:\n"
        "        sent.append(1)\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "sent = []\n"
        "sys.addaudithook(interrupt)\n"
        f"sys.argv = ['tracker', '--images', {str(source)!r}, '--json', 'o.jsonl']\n"
        "from tracker.__main__ import run\n"
        "run()\n"
    )
    done = run_code(code, cwd=tmp_path)
    assert done.exit_code == 130, done.stderr
    assert "tracker: interrupted" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


_RUN = (
    "from tracker.system.signals import end_on_interrupt\n"
    "end_on_interrupt()\n"
    "print('ready', flush=True)\n"
    "from tracker.__main__ import run\n"
    "run()\n"
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_ends_a_run_at_any_instant(tmp_path: Path, clips: Clips) -> None:
    film, lines = long_film(tmp_path, clips), tmp_path / "o.jsonl"
    command: list[str | bytes | Path] = [
        sys.executable,
        "-c",
        _RUN,
        "--video",
        film,
        "--json",
        lines,
        "--no-window",
    ]
    for instant_s in np.linspace(0, 1.9, 20):
        with start_process(command) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(instant_s)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=120)
        assert process.returncode == 130, (instant_s, stderr)
        assert stderr.startswith("tracker: interrupted"), (instant_s, stderr)
        assert stderr.count("\n") == 1, (instant_s, stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("how", ["swallowed", "turned"])
def test_ctrl_c_that_an_import_swallows_or_turns_into_an_error_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """As where a native module is initialised just then."""

    def interrupted() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt as error:
            if how == "turned":
                raise ImportError("initialization failed") from error

    monkeypatch.setattr(start, "keep_opencv_to_one_thread", interrupted)
    source = REPO / "tracker" / "assets" / "astronaut.jpg"
    done = run_cli("--images", source, "--json", tmp_path / "o.jsonl")
    assert done.exit_code == 130
    assert done.stderr.startswith("tracker: interrupted")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    ("args", "says_complete"),
    [
        (("serve", "--port", "0", "--model", "unet-light"), False),
        (("info",), False),
        (("--images", "a.jpg", "--json", "o.jsonl"), True),
    ],
)
def test_only_a_command_that_writes_says_that_it_is_complete(
    tmp_path: Path, args: tuple[str, ...], says_complete: bool
) -> None:
    """The signal arrives while the models are opened."""
    (tmp_path / "a.jpg").write_bytes((REPO / "tracker" / "assets" / "astronaut.jpg").read_bytes())
    code = (
        "import os, signal, sys\n"
        "from tracker.inference import weights\n"
        "load = weights.load_manifest\n"
        "def interrupted(*args):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return load(*args)\n"
        "weights.load_manifest = interrupted\n"
        f"sys.argv = ['tracker', *{args!r}]\n"
        "from tracker.__main__ import run\n"
        "run()\n"
    )
    done = run_code(code, cwd=tmp_path)
    assert done.exit_code == 130, done.stderr
    assert done.stderr.startswith("tracker: interrupted")
    assert ("complete" in done.stderr) == says_complete
    assert done.stderr.count("\n") == 1
