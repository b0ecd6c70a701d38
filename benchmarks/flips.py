"""Effects of single flipped bits on reading small videos.

Each container in turn is damaged at a random byte and bit, and read in another process with a time limit. A
flip may do no harm, change a picture without notice, be reported, or make the file unreadable if it hits the
header. It must not cause a crash, a hang, an error other than ours, or the loss of a picture that lies
entirely before the flip.

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

from benchmarks.command import JsonOption, check_outputs, run_command, write_report
from tracker.errors import SourceError
from tracker.sources.video.source import VideoSource
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
_UNTIMED = "clip.h264"  # a raw stream has a frame rate but no timestamps


@dataclass(frozen=True)
class Picture:
    """A decoded picture: timestamp in seconds, checksum of its pixels."""

    time_s: float
    checksum: int


@dataclass(frozen=True)
class Reading:
    """The pictures read from a file, and the message of the error that ended it, or an empty one.

    ``is_known_error`` is true for errors of the tracker and without an error.
    """

    pictures: tuple[Picture, ...]
    message: str
    is_known_error: bool


@dataclass(frozen=True)
class Clip:
    """An undamaged file: its bytes and its pictures in order.

    A flip at or after byte ``safe_from[i]`` must not affect picture ``i``.
    """

    name: str
    data: bytes
    pictures: tuple[Picture, ...]
    safe_from: tuple[int, ...]


@dataclass(frozen=True)
class Flip:
    """A flipped bit and its outcome; ``detail`` is the message or error."""

    clip: str
    byte: int
    bit: int
    outcome: Outcome
    detail: str


def make_clips(folder: Path) -> list[Clip]:
    """Write a short clip of moving stripes with noise in each container into ``folder``."""
    return [_clip(_write(folder / name, *format_of)) for name, format_of in _KINDS.items()]


class Reader:
    """Reader of files in another process, which is replaced when it crashes or hangs."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def read(self, path: Path) -> Reading | Outcome:
        """Return what was read from ``path``, or ``crashed``, or ``hung`` after the time limit."""
        try:
            self._ours.send(path)
            if self._ours.poll(self._limit_s):
                return cast("Reading", self._ours.recv())
        except (EOFError, ConnectionError):
            self._replace()
            return "crashed"
        self._replace()
        return "hung"

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self._ours.close()

    def _start(self) -> None:
        self._ours, theirs = self._context.Pipe()
        self.process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def _replace(self) -> None:
        self.close()
        self._start()


def flip(clip: Clip, byte: int, bit: int, folder: Path, reader: Reader) -> Flip:
    """Flip one bit of ``clip`` and read the file."""
    data = bytearray(clip.data)
    data[byte] ^= 1 << bit
    path = folder / clip.name
    path.write_bytes(data)
    reading = reader.read(path)
    if isinstance(reading, str):
        return Flip(clip.name, byte, bit, reading, "")
    return Flip(clip.name, byte, bit, classify(clip, byte, reading), reading.message)


def classify(clip: Clip, byte: int, reading: Reading) -> Outcome:
    """Return the outcome of a reading of ``clip`` with a flipped bit in ``byte``."""
    if not reading.is_known_error:
        return "failed"
    safe = [p for p, from_byte in zip(clip.pictures, clip.safe_from, strict=True) if from_byte <= byte]
    if not _shown(clip, safe) <= _shown(clip, reading.pictures):
        return "lost"
    if not reading.pictures:
        return "unreadable"
    return "reported" if reading.message else "whole"


def _shown(clip: Clip, pictures: Iterable[Picture]) -> set[object]:
    return {p.checksum if clip.name == _UNTIMED else p for p in pictures}


def _serve(questions: Connection) -> None:
    """Read each file whose path is received, until the process is killed."""
    while True:
        questions.send(_read(questions.recv()))


def _read(path: Path) -> Reading:
    pictures, message, is_known = [], "", True
    try:
        with VideoSource(path) as source:
            for frame in source:
                pictures.append(Picture(frame.time_s, zlib.crc32(frame.image_bgr.tobytes())))
    except SourceError as error:
        message = str(error)
    except Exception as error:  # noqa: BLE001 - the benchmark looks for such errors
        message, is_known = repr(error), False
    return Reading(tuple(pictures), message, is_known)


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
    # In files of a single stream a packet ends where the next one begins, and depends on those before it.
    # The end of a raw packet is detected within the first bytes of the next.
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
    check_outputs(json)
    flips = flip_many(count, limit_s, seed)
    console = Console()
    console.print(_table(flips))
    for bad in (f for f in flips if f.outcome in BAD):
        console.print(
            f"{bad.clip}, byte {bad.byte}, bit {bad.bit}: {bad.outcome}; {bad.detail}", markup=False
        )
    write_report(json, seed=seed, flips=[asdict(f) for f in flips])


def flip_many(count: int, limit_s: float, seed: int) -> list[Flip]:
    """Flip ``count`` random bits, in each container in turn; a file may take ``limit_s`` seconds."""
    draw = np.random.default_rng(seed)
    flips = []
    with (
        TemporaryDirectory() as name,
        progress_bar("flips", count) as advance,
        closing(Reader(limit_s)) as reader,
    ):
        folder = Path(name)
        clips = make_clips(folder)
        for index in range(count):
            clip = clips[index % len(clips)]
            byte, bit = int(draw.integers(len(clip.data))), int(draw.integers(8))
            flips.append(flip(clip, byte, bit, folder, reader))
            advance()
    return flips


if __name__ == "__main__":
    run_command(main)
