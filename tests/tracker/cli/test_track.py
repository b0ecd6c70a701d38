"""The command ``tracker``: wrong usage, and errors in one line."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cache import Clips
from tests.cli import (
    assert_one_line_error,
    run_cli,
)
from tests.media import face_video


@pytest.mark.parametrize(
    "args",
    [
        ("--video", "a.mp4", "--camera", "0"),
        ("--video", "a.mp4", "--no-window"),
        ("--images", "photos"),
        ("--smoothing", "much"),
        ("--threads", "-1"),
        ("--threads", "1", "bench"),
        ("--no-window", "info"),
        ("--video", "a.mp4", "--json", "o", "--csv", "o"),
        ("--max-faces", "0"),
        ("--images", "", "--json", "o"),
        ("--video", "a.mp4", "--no-window", "--csv", "-"),
        ("--video", "a.mp4", "--no-window", "--output", "-"),
        ("--video", "a.mp4", "--no-window", "--json", "-", "--csv", "/dev/stdout"),
        ("--video", "a.mp4", "--no-window", "--osc", ""),
        ("--images", "photos", "--virtual-camera", "auto"),
        ("--nonsense",),
        ("--size", "1280*720"),
        ("--size", "0x0"),
        ("--size", ""),
        ("--fps", "0"),
        ("--fps", "nan"),
        ("--fourcc", "MJPEG"),
        ("--size", "640x480", "--video", "a.mp4"),
        ("--fps", "25", "--video", "a.mp4"),
        ("--start", "2", "--end", "1", "--video", "a.mp4"),
        ("--every", "0", "--video", "a.mp4"),
        ("--start", "1", "--images", "photos", "--json", "o"),
        ("--fps", "30", "--images", "photos", "--json", "o"),
        ("--fourcc", "MJPG", "--camera", "http://127.0.0.1:1/"),
        ("--camera", "list", "--json", "o"),
        ("--camera", "list", "--osc", "127.0.0.1:9000"),
        ("--camera", "list", "--virtual-camera", "auto"),
        ("--camera", "list", "--video", "a.mp4"),
        ("dance",),
    ],
)
def test_wrong_usage_exits_with_2(args: tuple[str, ...]) -> None:
    done = run_cli(*args)
    assert done.exit_code == 2
    assert "Usage" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_outputs_to_the_same_file_are_wrong_usage(tmp_path: Path, clips: Clips) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "o")
    video = clips.faces(3)
    done = run_cli("--video", video, "--no-window", "--json", tmp_path / "o", "--csv", tmp_path / "link")
    assert done.exit_code == 2
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--video", "missing.mp4", "--no-window", "--json", "o"), ("missing.mp4",)),
        (("--video", "empty.mp4", "--no-window", "--json", "o"), ("empty.mp4",)),
        (("--video", "text.mp4", "--no-window", "--json", "o"), ("text.mp4",)),
        (("--images", "nowhere", "--json", "o"), ("nowhere",)),
        (("--images", ".", "--json", "o"), ("no images",)),
        (("--video", "in.mp4", "--no-window", "--json", "gone/o.jsonl"), ("gone",)),
        (("--video", "in.mp4", "--no-window", "--output", "gone/o.mp4"), ("gone",)),
        (("--video", "in.mp4", "--no-window", "--output", "in.mp4"), ("in.mp4",)),
        (("--video", "in.mp4", "--no-window", "--output", "o.ogv"), ("o.ogv", ".mp4")),
        (("--video", "f_%04d.png", "--no-window", "--json", "o"), ("no pictures match f_%04d.png",)),
        (("--video", "in.mp4", "--no-window", "--json", "o", "--start", "9"), ("in.mp4", "--start")),
        (("--video", "in.mp4", "--no-window", "--json", "/dev/full"), ("/dev/full",)),
        (("--video", "in.mp4", "--no-window", "--json", "o", "--backend", "tpu"), ("tpu", "cuda", "cpu")),
        (("--video", "in.mp4", "--no-window", "--json", "o", "--model", "vgg"), ("vgg", "resnet18")),
        (("--video", "in.mp4"), ("--no-window",)),
        (("--camera", "77", "--no-window", "--json", "o"), ("camera 77",)),
        (("--camera", "9" * 14, "--no-window", "--json", "o"), ("camera 9999",)),
    ],
)
def test_a_user_error_is_one_line_with_exit_code_1(
    tmp_path: Path, args: tuple[str, ...], words: tuple[str, ...]
) -> None:
    face_video(tmp_path / "in.mp4", 3)
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("not a video " * 100)
    before = (tmp_path / "in.mp4").read_bytes()
    assert_one_line_error(run_cli(*LIGHT_ARGUMENTS, *args, cwd=tmp_path), *words)
    assert (tmp_path / "in.mp4").read_bytes() == before


def test_cuda_without_a_gpu_is_refused(tmp_path: Path) -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("this computer has an NVIDIA driver")
    face_video(tmp_path / "in.mp4", 3)
    done = run_cli(
        "--video", tmp_path / "in.mp4", "--no-window", "--json", tmp_path / "o", "--backend", "cuda"
    )
    assert_one_line_error(done, "cuda", "--backend cpu")


@pytest.mark.parametrize("wrong", [("--backend", "tpu"), ("--model", "vgg")])
def test_a_run_that_cannot_start_keeps_old_results(
    tmp_path: Path, wrong: tuple[str, str], clips: Clips
) -> None:
    video = clips.faces(3)
    for name in ("o.jsonl", "o.csv", "o.mp4"):
        (tmp_path / name).write_text("old results")
    outputs = ("--json", tmp_path / "o.jsonl", "--csv", tmp_path / "o.csv", "--output", tmp_path / "o.mp4")
    assert run_cli("--video", video, *outputs, "--no-window", *wrong).exit_code == 1
    for name in ("o.jsonl", "o.csv", "o.mp4"):
        assert (tmp_path / name).read_text() == "old results"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--osc", "localhost"), ("localhost", "HOST:PORT")),
        (("--osc", "no.such.host.invalid:9000"), ("no.such.host.invalid:9000",)),
        (("--virtual-camera", "/dev/video250"), ("/dev/video250", "v4l2loopback")),
    ],
)
def test_an_output_that_does_not_open_keeps_old_results(
    tmp_path: Path, args: tuple[str, str], words: tuple[str, ...], clips: Clips
) -> None:
    pytest.importorskip("pythonosc")
    pytest.importorskip("pyvirtualcam")
    video = clips.faces(3)
    names = {"--json": "o.jsonl", "--csv": "o.csv", "--output": "o.mp4"}
    for name in names.values():
        (tmp_path / name).write_text("old results")
    files = [part for option, name in names.items() for part in (option, tmp_path / name)]
    done = run_cli("--video", video, "--no-window", *files, *args, *LIGHT_ARGUMENTS)
    assert_one_line_error(done, *words)
    for name in names.values():
        assert (tmp_path / name).read_text() == "old results"


@pytest.mark.parametrize(
    ("option", "package", "extra"),
    [
        (("--osc", "127.0.0.1:9000"), "pythonosc", "tracker68[osc]"),
        (("--virtual-camera", "auto"), "pyvirtualcam", "tracker68[virtual-camera]"),
    ],
)
def test_a_missing_extra_is_named(option: tuple[str, str], package: str, extra: str, clips: Clips) -> None:
    video = clips.faces(3)
    done = run_cli("--video", video, "--no-window", *option, *LIGHT_ARGUMENTS, without=[package])
    assert_one_line_error(done, f"pip install '{extra}'")


def test_camera_list_and_info_list_the_same_cameras() -> None:
    listed, told = run_cli("--camera", "list"), run_cli("info")
    assert listed.exit_code == 0, listed.stderr
    assert listed.stdout
    for line in listed.stdout.splitlines():
        assert f"  {line}\n" in told.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_a_link_in_a_circle_is_an_error_of_one_line(tmp_path: Path, clips: Clips) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    video = clips.faces(3)
    for output in ("--json", "--csv", "--parquet"):
        done = run_cli("--video", video, "--no-window", output, tmp_path / "a", *LIGHT_ARGUMENTS)
        assert_one_line_error(done, "it is a symbolic link")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--images", "x.jpg", "--output", ""),
        ("--video", "", "--json", "o"),
        ("--video", "a.mp4", "--json", "", "--no-window"),
        ("batch", "", "--output", "o"),
        ("batch", "a", "", "--output", "o"),
        ("batch", "a", "--output", ""),
        ("plot", ""),
        ("plot", "a.jsonl", "--output", ""),
    ],
)
def test_an_empty_name_is_wrong_usage_and_not_this_folder(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run_cli(*arguments, cwd=tmp_path)
    assert done.exit_code == 2
    assert "the name is empty" in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []
