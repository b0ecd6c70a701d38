"""Runs over videos and images, from the command line to the files that they leave."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cache import Clips
from tests.cli import (
    assert_one_line_error,
    json_lines,
    run_cli,
)
from tests.faces import astronaut
from tests.media import face_video, frame_count


def test_a_video_gives_json_lines_csv_and_an_annotated_video(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces()
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


def test_an_annotated_video_has_no_status_panel(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(30)
    done = run_cli("--video", video, "--output", tmp_path / "o.mp4", "--no-window", *LIGHT_ARGUMENTS)
    assert done.exit_code == 0
    corners = []
    for path in (video, tmp_path / "o.mp4"):
        with av.open(str(path)) as container:
            frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        corners.append(frames[-1][:24, :200].astype(float))
    assert np.abs(corners[0] - corners[1]).mean() < 5


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
        "--video", flat, "--output", tmp_path / "o.mp4", "--json", tmp_path / "o.jsonl", "--no-window",
        *LIGHT_ARGUMENTS,
    )  # fmt: skip
    assert_one_line_error(done, "in.mkv", "truncated")
    count = len(json_lines(tmp_path / "o.jsonl"))
    assert 5 < count < 100
    assert frame_count(tmp_path / "o.mp4") == count
    assert str(count) in done.stderr
    assert json_lines(tmp_path / "o.jsonl")[-1]["damage"]["lost_after"] > 0


def test_a_part_of_numbered_images_of_which_one_is_damaged(tmp_path: Path) -> None:
    for number in range(40):
        cv2.imwrite(str(tmp_path / f"f_{number:04d}.jpg"), astronaut())
    (tmp_path / "f_0022.jpg").write_bytes(b"damaged")
    done = run_cli(
        "--video", tmp_path / "f_%04d.jpg", "--fps", 10, "--start", 2, "--end", 3, "--every", 2,
        "--no-window", "--json", tmp_path / "o.jsonl", "--output", tmp_path / "o_%02d.png",
        *LIGHT_ARGUMENTS,
    )  # fmt: skip
    assert_one_line_error(done, "f_%04d.jpg is damaged: 1 frames lost", "5 frames were tracked")
    lines = json_lines(tmp_path / "o.jsonl")
    assert [line["time_s"] for line in lines] == [2.0, 2.3, 2.5, 2.7, 2.9]
    assert len(list(tmp_path.glob("o_*.png"))) == len(lines)


def test_landmarks_are_where_the_face_is(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), astronaut())
    assert run_cli("--images", tmp_path, "--json", tmp_path / "o.jsonl").exit_code == 0
    ((face,),) = (line["faces"] for line in json_lines(tmp_path / "o.jsonl"))
    points = np.array(face["landmarks"])
    # Positions read off the portrait; the tolerance is a twentieth of the face.
    for part, (x, y) in {"eyes": (184.5, 102.5), "nose": (183, 126), "mouth": (184, 144)}.items():
        span = {"eyes": slice(36, 48), "nose": slice(30, 31), "mouth": slice(48, 68)}[part]
        assert np.hypot(*(points[span].mean(axis=0) - (x, y))) < 5, part


@pytest.mark.slow
def test_images_of_all_kinds_some_of_them_damaged(tmp_path: Path) -> None:
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


def test_a_receiver_gets_osc_messages_of_each_frame(clips: Clips) -> None:
    osc_packet = pytest.importorskip("pythonosc.osc_packet")
    video = clips.faces(6)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        done = run_cli("--video", video, "--no-window", "--osc", address, *LIGHT_ARGUMENTS)
        assert done.exit_code == 0, done.stderr
        datagrams = [receiver.recv(65536) for _ in range(12)]
        receiver.setblocking(False)
        with pytest.raises(BlockingIOError):
            receiver.recv(65536)
    for index, (frame, face) in enumerate(zip(datagrams[::2], datagrams[1::2], strict=True)):
        first, ids = (timed.message for timed in osc_packet.OscPacket(frame).messages)
        assert first.address == "/tracker/frame"
        assert first.params == [index, pytest.approx(index / 25), 320, 320, 1, video.name]
        assert (ids.address, ids.params) == ("/tracker/ids", [1])
        assert {timed.message.params[0] for timed in osc_packet.OscPacket(face).messages} == {1}


def test_results_of_images_may_lie_in_the_folder_of_the_annotated_ones(tmp_path: Path) -> None:
    marked = tmp_path / "marked"
    outputs = {"--json": marked / "r.jsonl", "--csv": marked / "r.csv", "--labels": marked / "l.xml"}
    options = [part for option, path in outputs.items() for part in (option, path)]
    picture = tmp_path / "a.png"
    cv2.imwrite(str(picture), astronaut())
    done = run_cli("--images", picture, "--output", marked, *options, *LIGHT_ARGUMENTS)
    assert done.exit_code == 0, done.stderr
    assert {path.name for path in marked.iterdir()} == {"a.png", "r.jsonl", "r.csv", "l.xml"}


def test_one_picture_is_marked_in_the_file_that_output_names(tmp_path: Path) -> None:
    source = tmp_path / "x.jpg"
    cv2.imwrite(str(source), astronaut())
    for name in ("y.jpg", "y.png"):
        (tmp_path / name).write_bytes(b"of an earlier run")  # is replaced
        done = run_cli("--images", source, "--output", tmp_path / name, *LIGHT_ARGUMENTS)
        assert done.exit_code == 0, done.stderr
        marked = cv2.imread(str(tmp_path / name))
        assert marked is not None
        assert marked.shape == (400, 400, 3)
        assert np.abs(marked.astype(float) - astronaut()).max() > 50  # something is drawn
    done = run_cli("--images", tmp_path / "*.jpg", "--output", tmp_path / "z.jpg", *LIGHT_ARGUMENTS)
    assert_one_line_error(done, "2 pictures", "give --output a folder")
    folder = tmp_path / "folder.jpg"
    folder.mkdir()
    assert run_cli("--images", source, "--output", folder, *LIGHT_ARGUMENTS).exit_code == 0
    assert [path.name for path in folder.iterdir()] == ["x.jpg"]


def test_faces_beyond_a_limit_are_counted_in_the_lines_and_on_stderr(tmp_path: Path) -> None:
    image = astronaut()
    cv2.imwrite(str(tmp_path / "two.png"), cv2.hconcat([image, image[:, ::-1]]))
    out = tmp_path / "o.jsonl"
    arguments = ("--images", tmp_path / "two.png", "--json", out, *LIGHT_ARGUMENTS)
    done = run_cli(*arguments)
    assert (done.stderr, "left_out" in json_lines(out)[0]) == ("", False)
    done = run_cli(*arguments, "--max-faces", "1")
    assert done.stderr == "tracker: --max-faces 1: 1 more faces in 1 images are left out\n"
    (line,) = json_lines(out)
    assert (len(line["faces"]), line["left_out"]) == (1, 1)


def test_faces_of_a_video_beyond_the_slots_are_counted(tmp_path: Path) -> None:
    image = astronaut()
    for index in range(4):
        cv2.imwrite(str(tmp_path / f"f_{index}.png"), cv2.hconcat([image, image[:, ::-1]]))
    out, film = tmp_path / "o.jsonl", tmp_path / "f_%d.png"
    done = run_cli("--video", film, "--no-window", "--json", out, "--max-faces", "1", *LIGHT_ARGUMENTS)
    assert done.exit_code == 0
    expected = "at most 1 faces are followed, and up to 1 more were seen at a time, in 4 frames"
    assert done.stderr == f"tracker: {expected}; --max-faces 2 follows all\n"
    assert [(len(line["faces"]), line["left_out"]) for line in json_lines(out)] == [(1, 1)] * 4


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX links and devices")
def test_a_file_or_a_broken_link_in_place_of_a_folder_is_refused_with_what_to_give(tmp_path: Path) -> None:
    source = tmp_path / "x.png"
    cv2.imwrite(str(source), np.zeros((9, 9, 3), np.uint8))
    (tmp_path / "link").symlink_to("nowhere")
    for option, target, words in (
        ("--labels", "/dev/full", ("not a folder", "a file that ends in .xml")),
        ("--labels", tmp_path / "link", ("symbolic link to nowhere",)),
        ("--output", tmp_path / "link", ("symbolic link to nowhere",)),
    ):
        assert_one_line_error(run_cli("--images", source, option, target, *LIGHT_ARGUMENTS), *words)
    done = run_cli("--images", source, "--output", tmp_path / "y.txt")
    assert done.exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "x.png"]
