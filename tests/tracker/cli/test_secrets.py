"""Passwords, tokens and queries of addresses, at every place where an address can surface."""

from __future__ import annotations

import csv
import logging
import os
from pathlib import Path

import pytest

from tests.cli import json_lines, line_count, run_cli, start_cli, wait_until
from tests.media import mjpeg_server
from tracker.errors import MisuseError, SourceError
from tracker.sources.arrays import frame_from
from tracker.sources.camera.source import CameraSource
from tracker.sources.opening import open_film, open_source

SECRETS = ("hunter2", "t0ken", "us3r")


def _secret(url: str) -> str:
    """Return ``url`` with all kinds of secrets in it."""
    return url.replace("://", "://us3r:hunter2@") + "?access_token=t0ken&x=1#t0ken"


def _assert_none_in(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text, text


def _assert_none_in_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            for secret in SECRETS:
                assert secret.encode() not in path.read_bytes(), path
                assert secret not in path.name


@pytest.mark.slow
def test_results_messages_and_logs_of_a_stream_hold_no_secret(tmp_path: Path) -> None:
    names = {"--json": "o.jsonl", "--csv": "o.csv", "--openface": "face.csv", "--parquet": "o.parquet"}
    outputs = [part for option, name in names.items() for part in (option, tmp_path / name)]
    with (
        mjpeg_server() as server,
        start_cli(
            "--camera", _secret(server.url), "--no-window", *outputs, "--output", tmp_path / "o.mkv"
        ) as process,
    ):
        wait_until(lambda: line_count(tmp_path / "o.jsonl") > 3, process)
        assert process.stderr
        server.kill()
        lost = process.stderr.readline()
        with mjpeg_server(port=server.port):
            back = process.stderr.readline()
        process.terminate()
        stdout, stderr = process.communicate(timeout=60)
    for text in (lost, back, stdout, stderr):
        _assert_none_in(text)
    shown = f"http://***@127.0.0.1:{server.port}/camera.mjpg?***"
    assert lost.startswith(f"tracker: {shown} stopped sending")
    assert back.startswith(f"tracker: {shown} is back")
    assert {record["source"] for record in json_lines(tmp_path / "o.jsonl")} == {shown}
    rows = list(csv.reader((tmp_path / "o.csv").read_text().splitlines()))
    assert rows
    _assert_none_in_files(tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--camera", "{url}", "--no-window", "--json", os.devnull),
        ("--video", "{url}", "--no-window", "--json", os.devnull),
        ("--images", "{url}", "--json", os.devnull),
        ("--camera", "{url}", "--video", "{url}"),
        ("--camera", "{url}", "--size", "{url}"),
        ("--camera", "{url}", "--start", "5"),
        ("--camera", "0", "--fps", "{url}"),
        ("--camera", "{url}", "--no-window", "--output", "{url}"),
        ("--osc", "{url}", "--camera", "{url}", "--no-window"),
        ("{url}",),
        ("plot", "{url}"),
        ("batch", "{url}", "--output", "{folder}"),
        ("bench", "--video", "{url}", "--under-load"),
    ],
    ids=" ".join,
)
def test_errors_hold_no_secret(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    url = _secret("http://127.0.0.1:9/a.mp4")
    done = run_cli(*(part.format(url=url, folder=tmp_path) for part in arguments), cwd=tmp_path)
    assert done.exit_code in (1, 2)
    _assert_none_in(done.stdout + done.stderr)
    _assert_none_in_files(tmp_path)


@pytest.mark.parametrize("option", ["--video", "--images"])
def test_an_address_for_files_is_refused_with_a_remedy(tmp_path: Path, option: str) -> None:
    for url in ("https://host/a.mp4", "rtsp://host/a"):
        done = run_cli(option, url, "--no-window", "--json", tmp_path / "o.jsonl")
        assert done.exit_code == 2
        assert "--camera URL" in " ".join(done.stderr.split())
        assert not (tmp_path / "o.jsonl").exists()


def test_errors_and_logs_of_the_library_hold_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    url = _secret("http://127.0.0.1:9/a.mp4")
    with pytest.raises(SourceError) as caught:
        open_source(url)
    _assert_none_in(str(caught.value))
    with pytest.raises(SourceError, match="use --camera URL") as caught:
        open_film(Path(url))
    _assert_none_in(str(caught.value))
    with (
        caplog.at_level(logging.DEBUG),
        mjpeg_server() as server,
        CameraSource(_secret(server.url), idle=lambda notice: notice is None) as source,
    ):
        frames = iter(source)
        frame = next(frames)
        server.kill()
        list(frames)  # ends with the notice that the stream stopped, which is logged
    assert "stopped sending" in caplog.text
    _assert_none_in(f"{source.name} {frame.source} {caplog.text}")


def test_an_address_is_no_picture_and_stays_secret() -> None:
    for url in (_secret("http://host/a.jpg"), _secret("HTTPS://host/a.jpg")):
        for image in (url, Path(url)):
            with pytest.raises(MisuseError, match="download it and give the path") as caught:
                frame_from(image)
            _assert_none_in(str(caught.value))
        for name in (url, url.replace(".jpg", ".mp4")):
            with pytest.raises(MisuseError, match="give it as text") as caught:
                open_source(Path(name))
            _assert_none_in(str(caught.value))


def test_the_scheme_of_an_address_is_in_any_case() -> None:
    """RFC 3986, 3.1."""
    with mjpeg_server() as server, CameraSource(server.url.replace("http", "HTTP")) as source:
        assert next(iter(source)).image_bgr.shape == (48, 64, 3)
