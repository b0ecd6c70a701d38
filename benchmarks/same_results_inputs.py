"""Input files of :mod:`benchmarks.same_results_cases`: small videos, pictures and results, good and bad."""

from __future__ import annotations

import json
import os
import struct
import wave
import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

Pictures = npt.NDArray[np.uint8]

_CHANGED_S = 1_000_000_000
"""Modification time of all files, which the checkpoints of a run contain."""


def write_inputs(folder: Path) -> None:
    """Write the files into ``folder``, with the same bytes and times in every call."""
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (8, 48, 64, 3), np.uint8)
    _write_videos(folder, noise)
    _write_pictures(folder, noise)
    _write_results(folder)
    for path in folder.rglob("*"):
        os.utime(path, (_CHANGED_S, _CHANGED_S))


def _write_videos(folder: Path, noise: Pictures) -> None:
    _video(folder / "noise.mp4", noise, range(8))
    _video(folder / "uneven.mkv", noise, (0, 1, 2, 7, 8, 9, 20, 21))
    _video(folder / "cut.mkv", noise, range(8))
    whole = (folder / "cut.mkv").read_bytes()
    (folder / "cut.mkv").write_bytes(whole[: len(whole) * 6 // 10])
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("not a video " * 100)
    (folder / "folder.mp4").mkdir()
    with wave.open(str(folder / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))


def _video(path: Path, pictures: Pictures, times: Sequence[int]) -> None:
    # Else Matroska draws an id at random, and an encoder with several threads need not repeat its bytes.
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as out:
        options = {"preset": "ultrafast", "g": "2", "threads": "1"}
        stream = out.add_stream("libx264", rate=25, options=options)
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        for time, picture in zip(times, pictures, strict=True):
            frame = VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = time, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def _write_pictures(folder: Path, noise: Pictures) -> None:
    for name in ("stills", "mixed", "twins", "labelled", "nothing"):
        (folder / name).mkdir()
    names = (
        "stills/a.png",
        "stills/b.png",
        "mixed/a.png",
        "twins/a.png",
        "twins/a.jpg",
        "f_1.png",
        "f_2.png",
    )
    for name, picture in zip((*names, "damaged_1.png"), noise, strict=True):
        cv2.imwrite(str(folder / name), picture)
    cv2.imwrite(str(folder / "floats.tif"), noise[0].astype(np.float32))
    (folder / "mixed/b.jpg").write_bytes(b"not a picture")
    (folder / "damaged_2.png").write_bytes(b"not a picture")
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("not a picture")
    (folder / "labelled/a.pts").write_text("version: 1\n")
    header = struct.pack(">IIBBBBB", 70_000, 70_000, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", b""), (b"IEND", b""))
    (folder / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _write_results(folder: Path) -> None:
    for name in ("old.jsonl", "old.csv", "garbled.jsonl", "foreign.jsonl"):
        (folder / name).write_text("results of yesterday\n")
    (folder / "garbled.jsonl.resume").write_text("no JSON")
    (folder / "foreign.jsonl.resume").write_text('{"format": "of another program", "run": {}}\n')
    first, second = _line("a.mp4", 0, 0.0), _line("a.mp4", 1, 0.04)
    (folder / "broken_off.jsonl").write_text(first + second + second[:20])
    (folder / "no_time.jsonl").write_text('{"source": "a.mp4", "frame": 0, "faces": []}\n')
    (folder / "two_films.jsonl").write_text(first + second + _line("b.mp4", 0, 0.08))
    (folder / "goes_back.jsonl").write_text(second + first)


def _line(source: str, frame: int, time_s: float) -> str:
    return json.dumps({"source": source, "frame": frame, "time_s": time_s, "faces": []}) + "\n"
