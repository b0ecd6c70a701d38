"""Matching of packets with decoded pictures: which frames are missing and which are damaged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile

from tracker.types import Damage

# Longest reordering delay of any codec, in frames.
_MAX_REORDER = 16
# After damage decoders return some pictures late: a frame counts as missing only after this many packets.
_PATIENCE = 4
# Every packet of these codecs shows a picture. MPEG-4 and VP8 store some that are never shown.
_SHOW_ALL = frozenset({"h264", "hevc", "av1", "libdav1d"})
_HIDE_SOME = frozenset({"vp8", "libvpx"})


@dataclass(frozen=True)
class SentPacket:
    """A packet sent to the decoder.

    ``number`` counts from 0 in decoding order, ``pts`` is its presentation time in ticks, ``byte`` its place
    in the file, ``corrupt`` the demuxer's verdict, ``is_key`` whether it can be decoded on its own. ``part``
    counts the recordings that are joined in the file: in each the times start again.
    """

    number: int
    pts: int | None
    byte: int | None
    corrupt: bool
    is_key: bool
    part: int = 0

    def leads(self, key: SentPacket | None) -> bool:
        """Return whether it follows the key frame ``key`` but is shown before it.

        In an open group of pictures such a picture may also build on those before the key frame.
        """
        if key is None or self.pts is None or key.pts is None:
            return False
        return self.part == key.part and self.pts < key.pts


@dataclass(frozen=True)
class PictureReport:
    """State of the frames up to a decoded picture.

    ``missing`` frames are missing directly before it. ``passed`` packets show nothing, whether that is a loss
    or not. ``guessed``: parts of the picture could not be decoded. ``byte`` is where damage was noticed.
    """

    missing: int
    passed: int
    guessed: bool
    byte: int | None


class MissingFrames:
    """Bookkeeping of the packets sent to a decoder and the pictures received from it.

    Args:
        codec: Name of the decoder.
        by_number: The packets' times do not tell their presentation order.
        strict: Count every picture that is passed over as missing, at once and even where none may be.
    """

    def __init__(self, codec: str, by_number: bool, strict: bool) -> None:
        self._codec, self._by_number, self._strict = codec, by_number, strict
        self._sent: dict[int, SentPacket] = {}
        self._gaps: list[tuple[int, SentPacket]] = []
        self._bad: set[int] = set()
        self._counted_missing: set[int] = set()
        # Doubtful packets, and the byte of the damage that was noticed directly behind each.
        self._doubtful: dict[int, int | None] = {}
        self._newest = -1  # number of the last packet that was sent
        self._returned_late = 0  # pictures received after they had been counted as missing
        self._reference_is_bad = False  # the next packets build on a damaged picture
        self._bad_until: SentPacket | None = None  # packets that lead this key frame do, too
        self._is_damaged = self._has_fields = self._has_begun = self._gap_is_open = False
        self._byte: int | None = None  # of the first damage that no picture has reported yet

    def send(self, sent: SentPacket, missing_before: int) -> None:
        """Add a packet, with the estimated number of frames missing in the file before it."""
        self._sent[sent.number] = sent
        if missing_before:
            self._gaps.append((missing_before, sent))
            self._reference_is_bad = True
        if sent.is_key:
            self._bad_until = sent if self._reference_is_bad else None
            self._reference_is_bad = sent.corrupt
        if self._reference_is_bad or sent.leads(self._bad_until) or sent.corrupt:
            self._bad.add(sent.number)
        if self._gap_is_open or missing_before:
            self._doubtful.setdefault(sent.number - 1, self._byte)
        self._gap_is_open, self._newest = False, sent.number

    def add_damage(self, byte: int | None, number: int | None = None) -> None:
        """Mark packet ``number``, damaged at ``byte``, and all that build on it up to the next key frame.

        Without a number the next packets to be sent are marked. The packet directly before becomes doubtful:
        damage at the end of a picture is often noticed by the decoder only in the next one.
        """
        self._is_damaged = True
        if self._byte is None:
            self._byte = byte
        if number is None:
            self._reference_is_bad = self._gap_is_open = True
            return
        self._bad.add(number)
        self._doubtful.setdefault(number - 1, byte)
        # From the newest back: where every packet fails, a scan from the oldest would be quadratic.
        later = list(takewhile(lambda n: n > number, reversed(self._sent)))
        key: SentPacket | None = None
        for other in map(self._sent.__getitem__, reversed(later)):
            if other.is_key and other.number not in self._bad:
                if key:
                    return
                key = other
            elif key is None or other.leads(key):
                self._bad.add(other.number)
        if key:
            self._bad_until = key
        else:
            self._reference_is_bad = True

    def receive(self, number: int, corrupt: bool, has_fields: bool, reorders: bool) -> PictureReport:
        """Match the picture of packet ``number``.

        ``corrupt`` is the decoder's verdict, ``has_fields`` whether it is interlaced, ``reorders`` whether
        the codec's decoding order differs from its presentation order.
        """
        if number in self._counted_missing:
            self._counted_missing.discard(number)
            self._returned_late += 1
        self._has_fields |= has_fields
        sent = self._sent.get(number) or SentPacket(number, None, None, corrupt, False)
        if corrupt or sent.corrupt:
            self.add_damage(sent.byte, number)
        missing, passed = self._pass_over(sent, reorders)
        self._sent.pop(number, None)
        self._has_begun = True
        guessed = number in self._bad
        self._bad.discard(number)
        if not (missing or guessed):  # damage noted already may lie after pictures that were still buffered
            return PictureReport(0, passed, False, None)
        byte, self._byte = self._byte if self._byte is not None else sent.byte, None
        return PictureReport(missing, passed, guessed, byte)

    def end(self, unread_from: int | None) -> None:
        """Note that no packet follows, since the file is cut off or cannot be read from a byte on."""
        if unread_from is None:  # cut off in the last packet: the one before is whole
            self._doubtful.pop(self._newest - 1, None)
        else:
            self._doubtful.setdefault(self._newest, unread_from)

    def judged(self, number: int, damage: Damage | None) -> Damage | None:
        """Return the damage of packet ``number``, ``damage`` so far, once the next ones were decoded."""
        if number not in self._doubtful:
            return damage
        return replace(damage or Damage(byte=self._doubtful[number]), guessed=True)

    def rest(self) -> PictureReport:
        """Return the frames that never came, once all pictures were received."""
        unseen = sum(1 for sent in self._sent.values() if self._is_missing(sent))
        return PictureReport(unseen + sum(count for count, _ in self._gaps), 0, False, self._byte)

    def _pass_over(self, sent: SentPacket, reorders: bool) -> tuple[int, int]:
        """Drop the packets that should have been shown before ``sent``.

        Returns how many frames are missing there, and how many packets were dropped.
        """
        passed = [other for other in self._sent.values() if self._precedes(other, sent, reorders)]
        for other in passed:
            del self._sent[other.number]
        missing = {other.number for other in passed if self._is_missing(other)}
        if missing:
            self.add_damage(sent.byte, min(missing))
        self._counted_missing |= missing
        offset = min(self._returned_late, len(missing))
        self._returned_late -= offset
        later = [gap for gap in self._gaps if gap[1].number > sent.number]
        in_gaps = sum(n for n, _ in self._gaps) - sum(n for n, _ in later)
        self._gaps = later
        return len(missing) - offset + in_gaps, len(passed)

    def _is_missing(self, sent: SentPacket) -> bool:
        """Return whether the packet ``sent``, which was passed over, is a missing frame."""
        if self._codec in _HIDE_SOME:
            return sent.corrupt
        if self._strict or self._is_damaged or sent.corrupt:
            return True
        # A stream cut between two key frames begins with some that cannot be decoded, and in an interlaced
        # stream two packets may make one picture.
        return self._has_begun and not self._has_fields and self._codec in _SHOW_ALL

    def _precedes(self, other: SentPacket, sent: SentPacket, reorders: bool) -> bool:
        """Return whether ``other`` should have been shown before ``sent``."""
        if self._by_number or other.pts is None or sent.pts is None:
            return other.number < sent.number - (_MAX_REORDER if reorders else 0)
        if other.part != sent.part:
            return other.part < sent.part
        patience = _PATIENCE if reorders and not self._strict else 0
        return other.pts < sent.pts and other.number <= sent.number - patience
