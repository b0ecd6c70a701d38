"""Films whose pixels are not square."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream


def film(
    path: Path,
    aspect: Fraction | int,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    count: int = 3,
    **of: Any,
) -> Path:
    """Write ``count`` frames of 96x128 pixels of ``aspect``; ``of`` are further attributes of the codec."""
    image = np.random.default_rng(0).integers(0, 255, (128, 96, 3), np.uint8)
    with av.open(str(path), "w") as out:
        stream = cast(VideoStream, out.add_stream(codec, rate=25))
        stream.width, stream.height, stream.pix_fmt = 96, 128, pix_fmt
        for name, value in {"sample_aspect_ratio": Fraction(aspect), **of}.items():
            setattr(stream.codec_context, name, value)
        for _ in range(count):
            out.mux(stream.encode(VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    return path


def joined(folder: Path, codec: str, aspects: Sequence[Fraction | int], count: int) -> Path:
    """Write a recording of ``count`` frames for each of ``aspects`` and join them; return the path."""
    parts = [
        film(folder / f"{i}.ts", aspect, codec, count=count, max_b_frames=3, gop_size=count)
        for i, aspect in enumerate(aspects)
    ]
    path = folder / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path
