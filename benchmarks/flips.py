"""What single flipped bits do to the reading of small videos, in a process beside, with a limit for each.

Every container is damaged in turn, at places and bits drawn at random. A flip may do no harm, change a
picture without a trace, be reported, or make the file unreadable where it hits the header. What must never
happen: a crash, a hang, another error than ours, or the loss of a picture that lies wholly before the flip.

    python -m benchmarks.flips --count 2000
"""

from __future__ import annotations

import multiprocessing
import zlib
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal, cast

import av
import numpy as np
import typer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from rich.console import Console
from rich.table import Table

from benchmarks.command import JsonOption, run_command
from tracker.errors import SourceError
from tracker.sources.video.source import VideoSource
from tracker.system.machine import describe_machine
from train.files import replace, to_json, try_writing
from train.progress import progress_bar

Outcome = Literal["whole", "reported", "unreadable", "lost", "failed", "crashed", "hung"]
OUTCOMES: tuple[Outcome, ...] = ("whole", "reported", "unreadable", "lost", "failed", "crashed", "hung")
BAD = frozenset({"lost", "failed", "crashed", "hung"})
_X264 = {"preset": "ultrafast", "g": "8", "bf": "2"}
_KINDS = {
    "clip.mp4": ("libx264", "yuv420p", _X264, {"movflags": "faststart"}),
    "clip.mkv": ("libx264", "yuv420p", _X264, {}),
    "clip.ts": ("libx264", "yuv420p", _X264, {}),
    "clip.avi": ("mpeg4", "yuv420p", {"g": "8"}, {}),
    "clip.webm": ("libvpx", "yuv420p", {"deadline": "realtime", "cpu-used": "8"}, {}),
    "clip.gif": ("gif", "rgb8", {}, {}),
    "clip.h264": ("libx264", "yuv420p", _X264, {}),
}
_FRAMES = 24
# A raw stream states a rate and no times.
_TIMELESS = "clip.h264"


@dataclass(frozen=True)
class Picture:
    """A picture as it was read: time in seconds, checksum of its pixels."""

    time_s: float
    checksum: int


@dataclass(frozen=True)
class Answer:
    """The pictures of a file, and the error that ended it, if any; ``is_known_error`` of ours or none."""

    pictures: tuple[Picture, ...]
    message: str
    is_known_error: bool


@dataclass(frozen=True)
class Clip:
    """A sound file: its bytes, its pictures in order, and behind which byte each is safe from a flip."""

    name: str
    data: bytes
    pictures: tuple[Picture, ...]
    safe_from: tuple[int, ...]


@dataclass(frozen=True)
class Flip:
    """One bit turned over, and what came of it; ``detail`` is the message or error."""

    clip: str
    byte: int
    bit: int
    outcome: Outcome
    detail: str


def make_clips(folder: Path) -> list[Clip]:
    """A short clip in each container, moving stripes with noise, written to ``folder``."""
    return [_clip(_write(folder / name, *how)) for name, how in _KINDS.items()]


class Reader:
    """Reads files in a process beside this one, which is replaced when it crashes or hangs."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def read(self, path: Path) -> Answer | Outcome:
        """What reading ``path`` gives, or how the process ended that tried; at most the limit in seconds."""
        try:
            self._ours.send(path)
            if self._ours.poll(self._limit_s):
                return cast("Answer", self._ours.recv())
        except (EOFError, ConnectionError):
            self._replace()
            return "crashed"
        self._replace()
        return "hung"

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._ours.close()

    def _start(self) -> None:
        self._ours, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_answer, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def _replace(self) -> None:
        self.close()
        self._start()


def flip(clip: Clip, byte: int, bit: int, folder: Path, reader: Reader) -> Flip:
    """Turn one bit of ``clip`` over and have it read."""
    data = bytearray(clip.data)
    data[byte] ^= 1 << bit
    path = folder / clip.name
    path.write_bytes(data)
    answer = reader.read(path)
    if isinstance(answer, str):
        return Flip(clip.name, byte, bit, answer, "")
    return Flip(clip.name, byte, bit, judge(clip, byte, answer), answer.message)


def judge(clip: Clip, byte: int, answer: Answer) -> Outcome:
    """What ``answer`` is worth to one who knows the whole ``clip``, of which ``byte`` was damaged."""
    if not answer.is_known_error:
        return "failed"
    safe = [p for p, from_byte in zip(clip.pictures, clip.safe_from, strict=True) if from_byte <= byte]
    if not _shown(clip, safe) <= _shown(clip, answer.pictures):
        return "lost"
    if not answer.pictures:
        return "unreadable"
    return "reported" if answer.message else "whole"


def _shown(clip: Clip, pictures: Iterable[Picture]) -> set[object]:
    return {p.checksum if clip.name == _TIMELESS else p for p in pictures}


def _answer(questions: Connection) -> None:
    """Read every file that is asked for, for ever."""
    while True:
        questions.send(_read(questions.recv()))


def _read(path: Path) -> Answer:
    pictures, message, is_known = [], "", True
    try:
        with VideoSource(path) as source:
            for frame in source:
                pictures.append(Picture(frame.time_s, zlib.crc32(frame.image_bgr.tobytes())))
    except SourceError as error:
        message = str(error)
    except Exception as error:  # noqa: BLE001 - to find those is what this is for
        message, is_known = repr(error), False
    return Answer(tuple(pictures), message, is_known)


def _write(path: Path, codec: str, pix_fmt: str, options: dict[str, str], container: dict[str, str]) -> Path:
    noise = np.random.default_rng(0).integers(0, 40, (48, 64, 3), np.uint8)
    with av.open(str(path), "w", container_options=container) as out:
        stream = cast(VideoStream, out.add_stream(codec, rate=25, options=options))
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        for index in range(_FRAMES):
            image = noise.copy()
            image[:, 2 * index : 2 * index + 12] += np.uint8(200)
            frame = VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def _clip(path: Path) -> Clip:
    with VideoSource(path) as source:
        pictures = tuple(Picture(f.time_s, zlib.crc32(f.image_bgr.tobytes())) for f in source)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.copy_opaque = True
        order: list[int] = []
        starts: list[int] = []
        for packet in container.demux(stream):
            packet.opaque = len(starts)
            order += [cast(int, frame.opaque) for frame in packet.decode()]
            if packet.size:
                starts.append(packet.pos or 0)
    # In files of a single stream a packet ends where the next begins; those before it are what it builds on.
    # Where a raw one ends is found at the start of the next, which takes some bytes of that.
    ends = [start + (188 if path.suffix in (".h264", ".ts") else 0) for start in starts[1:]]
    ends.append(path.stat().st_size)
    return Clip(path.name, path.read_bytes(), pictures, tuple(max(ends[: n + 1]) for n in order))


def _table(flips: list[Flip]) -> Table:
    table = Table("clip", *OUTCOMES, title="Single bits flipped, by what came of it")
    for name in _KINDS:
        counts = Counter(f.outcome for f in flips if f.clip == name)
        table.add_row(name, *(str(counts[outcome]) for outcome in OUTCOMES))
    return table


def main(
    count: Annotated[int, typer.Option(min=1, help="How many flips, over all containers.")] = 2000,
    limit_s: Annotated[float, typer.Option(min=1, help="Seconds that a file may take.")] = 20.0,
    seed: Annotated[int, typer.Option(help="Of the places.")] = 0,
    json: JsonOption = None,
) -> None:
    """Flip random bits of small videos and say what the reader made of them."""
    if json:
        try_writing(json)
    draw = np.random.default_rng(seed)
    with (
        TemporaryDirectory() as name,
        progress_bar("flips", count) as advance,
        closing(Reader(limit_s)) as reader,
    ):
        folder = Path(name)
        clips = make_clips(folder)
        flips = []
        for index in range(count):
            clip = clips[index % len(clips)]
            byte, bit = int(draw.integers(len(clip.data))), int(draw.integers(8))
            flips.append(flip(clip, byte, bit, folder, reader))
            advance()
    console = Console()
    console.print(_table(flips))
    for bad in (f for f in flips if f.outcome in BAD):
        console.print(
            f"{bad.clip}, byte {bad.byte}, bit {bad.bit}: {bad.outcome}; {bad.detail}", markup=False
        )
    if json:
        content = {"machine": describe_machine(), "seed": seed, "flips": [asdict(f) for f in flips]}
        replace(json, to_json(content).encode())


if __name__ == "__main__":
    run_command(main)
