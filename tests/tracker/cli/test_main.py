"""The command as users run it, judged by exit code, stderr and files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.cli import (
    REPO,
    assert_one_line_error,
    json_lines,
    line_count,
    run_cli,
    run_code,
    start_cli,
    start_process,
    wait_until,
)
from tests.faces import astronaut
from tests.media import face_video, frame_count, mjpeg_server, picture


def test_a_video_becomes_json_csv_and_an_annotated_video(tmp_path: Path) -> None:
    video = face_video(tmp_path / "in.mp4")
    done = run_cli(
        "--video", video, "--output", tmp_path / "out.mp4", "--json", tmp_path / "out.jsonl",
        "--csv", tmp_path / "out.csv", "--no-window",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert done.stdout == ""
    lines = json_lines(tmp_path / "out.jsonl")
    assert [line["frame"] for line in lines] == list(range(20))
    assert all(set(line) >= {"source", "frame", "time_s", "width", "height", "faces"} for line in lines)
    faces = [line["faces"] for line in lines]
    assert all(len(face) == 1 and face[0]["id"] == 1 for face in faces)
    assert frame_count(tmp_path / "out.mp4") == 20
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 21


def test_the_face_is_found_where_it_is(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), astronaut())
    assert run_cli("--images", tmp_path, "--json", tmp_path / "o.jsonl").exit_code == 0
    ((face,),) = (line["faces"] for line in json_lines(tmp_path / "o.jsonl"))
    points = np.array(face["landmarks"])
    # Where the pupils, nose tip and mouth of the portrait are, read off it: within a twentieth of the face.
    for part, (x, y) in {"eyes": (184.5, 102.5), "nose": (183, 126), "mouth": (184, 144)}.items():
        span = {"eyes": slice(36, 48), "nose": slice(30, 31), "mouth": slice(48, 68)}[part]
        assert np.hypot(*(points[span].mean(axis=0) - (x, y))) < 5, part


def test_images_good_and_bad(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    face = astronaut()
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    cv2.imwrite(str(folder / "a_colour.jpg"), face)
    cv2.imwrite(str(folder / "b_grey.png"), grey)
    cv2.imwrite(str(folder / "c_deep.png"), face.astype(np.uint16) * 257)
    cv2.imwrite(str(folder / "d_alpha.png"), cv2.cvtColor(face, cv2.COLOR_BGR2BGRA))
    cv2.imwrite(str(folder / "e_dot.png"), face[:1, :1])
    cv2.imwrite(str(folder / "f_huge.jpg"), cv2.resize(face, (8000, 6000)))
    (folder / "g_broken.jpg").write_bytes(b"not a picture")
    (folder / "h_empty.png").write_bytes(b"")
    done = run_cli("--images", folder, "--output", tmp_path / "out", "--json", tmp_path / "o.jsonl")
    assert_one_line_error(done, "2 images", "g_broken.jpg")
    lines = json_lines(tmp_path / "o.jsonl")
    assert [str(line["source"])[0] for line in lines] == list("abcdefgh")
    assert [len(line["faces"]) for line in lines] == [1, 1, 1, 1, 0, 1, 0, 0]
    assert ["error" in line for line in lines] == [False] * 6 + [True] * 2
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_a_truncated_video_keeps_its_good_frames(tmp_path: Path) -> None:
    video = face_video(tmp_path / "whole.mp4", 100)
    flat = tmp_path / "in.mkv"
    with av.open(str(video)) as source, av.open(str(flat), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    flat.write_bytes(flat.read_bytes()[: int(flat.stat().st_size * 0.6)])
    done = run_cli(
        "--video", flat, "--output", tmp_path / "o.mp4", "--json", tmp_path / "o.jsonl", "--no-window"
    )
    assert_one_line_error(done, "in.mkv", "truncated")
    count = len(json_lines(tmp_path / "o.jsonl"))
    assert 5 < count < 100
    assert frame_count(tmp_path / "o.mp4") == count
    assert str(count) in done.stderr
    assert json_lines(tmp_path / "o.jsonl")[-1]["damage"]["lost_after"] > 0


def test_a_part_of_a_damaged_film_of_numbered_pictures(tmp_path: Path) -> None:
    for number in range(40):
        cv2.imwrite(str(tmp_path / f"f_{number:04d}.jpg"), astronaut())
    (tmp_path / "f_0022.jpg").write_bytes(b"damaged")
    done = run_cli(
        "--video", tmp_path / "f_%04d.jpg", "--fps", 10, "--start", 2, "--end", 3, "--every", 2,
        "--no-window", "--json", tmp_path / "o.jsonl", "--output", tmp_path / "o_%02d.png",
    )  # fmt: skip
    assert_one_line_error(done, "f_%04d.jpg is damaged: 1 frames lost", "5 frames are done")
    lines = json_lines(tmp_path / "o.jsonl")
    assert [line["time_s"] for line in lines] == [2.0, 2.3, 2.5, 2.7, 2.9]
    assert len(list(tmp_path.glob("o_*.png"))) == len(lines)


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
def test_bad_input_gets_one_line(tmp_path: Path, args: tuple[str, ...], words: tuple[str, ...]) -> None:
    face_video(tmp_path / "in.mp4", 3)
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("not a video " * 100)
    before = (tmp_path / "in.mp4").read_bytes()
    assert_one_line_error(run_cli(*args, cwd=tmp_path), *words)
    assert (tmp_path / "in.mp4").read_bytes() == before


def test_cuda_without_a_gpu_is_refused(tmp_path: Path) -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("this computer has an NVIDIA driver")
    face_video(tmp_path / "in.mp4", 3)
    done = run_cli(
        "--video", tmp_path / "in.mp4", "--no-window", "--json", tmp_path / "o", "--backend", "cuda"
    )
    assert_one_line_error(done, "cuda", "--backend cpu")


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


def damaged_weights(folder: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Let the tracker find its models in ``folder``, where resnet18's file holds ``data``."""
    folder.mkdir()
    for file in (REPO / "weights").iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "resnet18.onnx").unlink()
    (folder / "resnet18.onnx").write_bytes(data)
    monkeypatch.setattr("tracker.inference.weights._PLACES", (folder,))


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clone whose model file was altered: one bit is enough."""
    data = bytearray((REPO / "weights" / "resnet18.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    damaged_weights(tmp_path / "weights", monkeypatch, bytes(data))
    video = face_video(tmp_path / "in.mp4", 3)
    done = run_cli("--video", video, "--no-window", "--json", tmp_path / "o")
    assert_one_line_error(done, "resnet18.onnx", "sha256")


@pytest.mark.parametrize(
    ("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_ctrl_c_and_other_ends_leave_playable_files(
    tmp_path: Path, ending: signal.Signals, code: int
) -> None:
    video = face_video(tmp_path / "in.mp4", 20)
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


def test_a_lost_stream_is_waited_for_until_ctrl_c(tmp_path: Path) -> None:
    lines = tmp_path / "o.jsonl"
    with (
        mjpeg_server() as server,
        start_cli(
            "--camera", server.url, "--no-window", "--json", lines, "--output", tmp_path / "o.mp4"
        ) as process,
    ):
        wait_until(lambda: line_count(lines) > 5, process)
        server.kill()
        assert process.stderr
        assert "stopped sending after" in process.stderr.readline()
        with mjpeg_server(port=server.port, shows=lambda n: picture(n, 160, 90)):
            assert "is back after" in process.stderr.readline()
            assert "now sends 160x90 instead of 64x48" in process.stderr.readline()
            seen = line_count(lines)
            wait_until(lambda: line_count(lines) >= seen + 5, process)
        assert "stopped sending after" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.count("\n") == 1
    records = json_lines(lines)
    assert records[-1]["width"] == 160
    for key in ("frame", "time_s"):
        values = [record[key] for record in records]
        assert values == sorted(set(values))
    assert frame_count(tmp_path / "o.mp4") == len(records)


def test_ctrl_c_ends_a_wait_for_a_server_that_accepts_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with start_cli("--camera", url, "--no-window", "--json", os.devnull) as process:
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr


def test_cameras_are_listed_alike_by_both_commands() -> None:
    listed, told = run_cli("--camera", "list"), run_cli("info")
    assert listed.exit_code == 0, listed.stderr
    assert listed.stdout
    for line in listed.stdout.splitlines():
        assert f"  {line}\n" in told.stdout


def test_the_command_line_imports_nothing_heavy() -> None:
    code = (
        "import sys, tracker.cli.main;"
        "heavy = {'torch', 'onnx', 'mediapipe', 'openvino', 'cv2', 'onnxruntime', 'av', 'numpy'};"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = run_code(code)
    assert done.exit_code == 0, done.stderr


def test_help_teaches() -> None:
    done = run_cli("--help")
    assert done.exit_code == 0
    for word in ("--camera", "--video", "--images", "--backend", "--no-window", "bench", "info", "snapshot"):
        assert word in done.stdout


def test_info_reports_what_really_opens() -> None:
    done = run_cli("info")
    assert done.exit_code == 0, done.stderr
    assert "CPUExecutionProvider" in done.stdout
    assert "resnet18" in done.stdout
    assert "blazeface-short" in done.stdout


def test_bench_writes_its_rows(tmp_path: Path) -> None:
    options = ("--backend", "cpu", "--frames", 12, "--threads", 1, "--under-load")
    done = run_cli("bench", *options, "--json", tmp_path / "b.json")
    assert done.exit_code == 0, done.stderr
    report = json.loads((tmp_path / "b.json").read_text())
    rows = {(row["mode"], row["stage"]): row for row in report["rows"]}
    stages = {"total", "crop", "infer", "points", "smooth", "measure", "decode", "draw"}
    # With all slots taken, tracking detects now and then only.
    assert {stage for mode, stage in rows if mode == "tracking"} in (stages, stages | {"detect"})
    assert {stage for mode, stage in rows if mode == "detect"} == stages | {"detect"}
    assert report["machine"]["cpu"]
    assert report["processes"][0]["start_s"] > 0
    for row in report["rows"]:
        assert row["provider"] == "CPUExecutionProvider"
        assert row["faces"] == 1
        assert 1 <= row["frames"] <= 12
        assert row["frames"] == 12 or row["stage"] == "detect"
        assert 0 < row["median_ms"] <= row["p95_ms"] <= row["p99_ms"]
        assert row["fps"] == pytest.approx(1000 / row["median_ms"], rel=0.01, abs=0.06)
    assert report["machine"]["cpu"]


@pytest.mark.parametrize("wrong", [("--backend", "tpu"), ("--model", "vgg")])
def test_a_run_that_cannot_start_leaves_old_results_alone(tmp_path: Path, wrong: tuple[str, str]) -> None:
    video = face_video(tmp_path / "in.mp4", 3)
    for name in ("o.jsonl", "o.csv", "o.mp4"):
        (tmp_path / name).write_text("results of yesterday")
    outputs = ("--json", tmp_path / "o.jsonl", "--csv", tmp_path / "o.csv", "--output", tmp_path / "o.mp4")
    assert run_cli("--video", video, *outputs, "--no-window", *wrong).exit_code == 1
    for name in ("o.jsonl", "o.csv", "o.mp4"):
        assert (tmp_path / name).read_text() == "results of yesterday"


def test_info_goes_on_past_a_damaged_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged_weights(tmp_path / "weights", monkeypatch, b"cut short")
    done = run_cli("info")
    assert done.exit_code == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if "resnet18 fp32" in line)
    assert "damaged" in line
    assert "CPUExecutionProvider" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output_is_one_line() -> None:
    with (
        Path("/dev/full").open("w") as full,
        start_process([sys.executable, "-m", "tracker", "info"], stdout=full) as process,
    ):
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in stderr


def test_an_annotated_video_has_no_status_panel(tmp_path: Path) -> None:
    """What is measured belongs on the screen; a file is the picture and its faces."""
    video = face_video(tmp_path / "in.mp4", 30)
    assert run_cli("--video", video, "--output", tmp_path / "o.mp4", "--no-window").exit_code == 0
    corners = []
    for path in (video, tmp_path / "o.mp4"):
        with av.open(str(path)) as container:
            frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        corners.append(frames[-1][:24, :200].astype(float))
    assert np.abs(corners[0] - corners[1]).mean() < 5


def test_outputs_that_are_one_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "o")
    video = face_video(tmp_path / "in.mp4", 3)
    done = run_cli("--video", video, "--no-window", "--json", tmp_path / "o", "--csv", tmp_path / "link")
    assert done.exit_code == 2
    assert not (tmp_path / "o").exists()
