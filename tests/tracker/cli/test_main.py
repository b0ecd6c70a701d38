"""Entry point of the command line: light imports, help, info, and errors as one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cache import Clips
from tests.cli import (
    REPO,
    assert_one_line_error,
    run_cli,
    run_code,
    start_process,
)


def test_nothing_heavy_is_imported_before_a_command_runs() -> None:
    code = (
        "import sys, tracker.cli.main;"
        "heavy = {'torch', 'onnx', 'mediapipe', 'openvino', 'cv2', 'onnxruntime', 'av', 'numpy'};"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = run_code(code)
    assert done.exit_code == 0, done.stderr


def test_help_lists_the_options_and_commands() -> None:
    done = run_cli("--help")
    assert done.exit_code == 0
    for word in ("--camera", "--video", "--images", "--backend", "--no-window", "bench", "info", "snapshot"):
        assert word in done.stdout


def test_info_lists_models_and_backends() -> None:
    done = run_cli("info")
    assert done.exit_code == 0, done.stderr
    assert "CPUExecutionProvider" in done.stdout
    assert "resnet18" in done.stdout
    assert "blazeface-short" in done.stdout


def damaged_weights(folder: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Let the tracker find its models in ``folder``, where the file of resnet18 contains ``data``."""
    folder.mkdir()
    for file in (REPO / "weights").iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "resnet18.onnx").unlink()
    (folder / "resnet18.onnx").write_bytes(data)
    monkeypatch.setattr("tracker.inference.weights._PLACES", (folder,))


def test_info_reports_a_damaged_model_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged_weights(tmp_path / "weights", monkeypatch, b"cut short")
    done = run_cli("info")
    assert done.exit_code == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if "resnet18 fp32" in line)
    assert "damaged" in line
    assert "CPUExecutionProvider" in done.stdout


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clips: Clips) -> None:
    data = bytearray((REPO / "weights" / "resnet18.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    damaged_weights(tmp_path / "weights", monkeypatch, bytes(data))
    video = clips.faces(3)
    done = run_cli("--video", video, "--no-window", "--json", tmp_path / "o")
    assert_one_line_error(done, "resnet18.onnx", "sha256")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output_is_an_error_without_traceback() -> None:
    with (
        Path("/dev/full").open("w") as full,
        start_process([sys.executable, "-m", "tracker", "info"], stdout=full) as process,
    ):
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in stderr
