"""Reading of a video file in two passes: a fast one up to the first damage, then a tolerant one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from tracker.errors import MisuseError
from tracker.sources.video.container import frame_rate, open_container, video_stream
from tracker.sources.video.damage_account import DamageAccount, DamageFoundError
from tracker.sources.video.decoder import Decoded, Decoder
from tracker.sources.video.ticks import Ticks, avi_index
from tracker.system.closing import Closing
from tracker.types import Damage

_HELD_BACK = 8
"""Pictures that are held back until the next ones were decoded.

A picture may be shown before the one that it builds on, threads decode several at once, and a decoder often
notices damage at the end of a picture only in the next one: when damage is noticed, those just before it in
the film may be affected.
"""


class OpenVideo(Closing):
    """An open container and its video stream; ``forward`` as of :func:`open_container`."""

    def __init__(self, path: Path, forward: BinaryIO | None = None) -> None:
        self.container = open_container(path, forward)
        try:
            self.stream = video_stream(path, self.container)
        except BaseException:
            self.container.close()
            raise

    def close(self) -> None:
        """End decoding and close the container."""
        # PyAV frees a decoder while it holds the interpreter lock, which a decoder thread needs to free the
        # number of a packet. Threads that still work then would wait forever; flushing ends their work.
        self.stream.codec_context.flush_buffers()
        self.container.close()


class VideoReader(Closing):
    """Pictures of the video file ``path``; a context manager, iterated once.

    The fast pass uses all threads and stops at the first sign of damage. Then the file is read again from the
    beginning in a single thread, which yields what can be decoded after the damage and accounts for the rest.

    Closing it while another thread reads waits for the picture that is being decoded.

    Raises:
        SourceError: The file is missing, empty or holds no video that can be decoded.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._file: BinaryIO | None = None
        self._video: OpenVideo | None = OpenVideo(path)
        self._account: DamageAccount | None = None
        self.fps: Fraction = frame_rate(self._video.container, self._video.stream)
        self._pictures = self._read(self._video)

    def __iter__(self) -> Iterator[Decoded]:
        return self

    def __next__(self) -> Decoded:
        """Return the next picture.

        Raises:
            MisuseError: The reader was closed. Libav would read freed memory.
        """
        with self._lock:
            _ = self.video
            return next(self._pictures)

    @property
    def video(self) -> OpenVideo:
        """Container and stream of the current pass.

        Raises:
            MisuseError: The reader was closed.
        """
        if self._video is None:
            raise MisuseError(f"{self._path} was closed: open it again")
        return self._video

    def rest(self) -> Damage | None:
        """Return the damage after the last picture, once all were yielded."""
        return self._account.rest() if self._account else None

    def close(self) -> None:
        """Close the file and end the decoder's threads; closing twice is fine."""
        with self._lock:
            if self._video:
                self._video.close()
            if self._file:
                self._file.close()
            # libav's threads end with the last reference to the stream. An iterator may still refer to this
            # object: without this they might stay until the garbage collector runs.
            self._video = self._account = None
            self._pictures = iter(())

    def _read(self, video: OpenVideo) -> Iterator[Decoded]:
        count = 0
        index = avi_index(video.container, video.stream)
        try:
            for decoded in self._settled(video, index, strict=True):
                yield decoded
                count += 1
            return
        except DamageFoundError:
            video.close()
        if index:  # a damaged index hides frames; libav ignores it in a file that cannot seek
            self._file = self._path.open("rb")
        self._video = video = OpenVideo(self._path, self._file)
        yield from islice(self._settled(video, index, strict=False), count, None)

    def _settled(self, video: OpenVideo, index: Mapping[int, int], strict: bool) -> Iterator[Decoded]:
        """Decode ``video``; a picture is yielded once damage found behind it can no longer affect it."""
        container, stream = video.container, video.stream
        self._account = account = DamageAccount(self._path, container, stream, self.fps, strict=strict)
        ticks = Ticks(container, stream, index)
        held: deque[Decoded] = deque()
        for decoded in Decoder(container, stream, account, ticks, single_thread=not strict):
            held.append(decoded)
            if len(held) > _HELD_BACK:
                yield _judged(held.popleft(), account)
        account.rest()  # a strict account raises where frames are missing
        for decoded in held:
            yield _judged(decoded, account)


def _judged(decoded: Decoded, account: DamageAccount) -> Decoded:
    return replace(decoded, damage=account.judged(decoded.number, decoded.damage))
