"""Which packets of a video have given their pictures, which never will, and which pictures are not sound."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

# No codec shows a picture later than that many after the next.
_MAX_REORDER = 16
# Next to damage decoders give late what they do have: with patience it does not count as lost.
_PATIENCE = 4
# Of these every packet shows a picture. MPEG-4 and VP8 store some that are never shown.
_SHOW_ALL = frozenset({"h264", "hevc", "av1", "libdav1d"})
_HIDE_SOME = frozenset({"vp8", "libvpx"})


@dataclass(frozen=True)
class Sent:
    """A packet given to the decoder: its number from 0, time in ticks, place in the file, if it is whole."""

    number: int
    pts: int | None
    byte: int | None
    corrupt: bool
    is_key: bool


@dataclass(frozen=True)
class Account:
    """What was found out with a picture: how many are missing before it, and whether it is sound itself.

    ``passed`` are the packets that will show nothing, whether that is a loss or not.
    """

    lost: int
    passed: int
    guessed: bool
    byte: int | None


class Ledger:
    """Keeps account of the packets given to a decoder named ``codec`` and of the pictures that it gives.

    ``by_number`` says that the packets' times do not tell the order in which they are shown. A ``strict``
    account takes every picture that is passed over for lost, at once and even where there may be none.
    """

    def __init__(self, codec: str, by_number: bool, strict: bool) -> None:
        self._codec, self._by_number, self._strict = codec, by_number, strict
        self._sent: dict[int, Sent] = {}
        self._holes: list[tuple[int, Sent]] = []
        self._bad: set[int] = set()
        self._written_off: set[int] = set()
        self._owed = 0  # pictures that came after they had been counted as lost
        self._is_bad = False  # what comes next builds on a picture that is bad
        self._is_damaged = self._has_fields = self._has_begun = False
        self._byte: int | None = None  # of the first damage that no picture has told of yet

    def send(self, sent: Sent, lost_before: int) -> None:
        """Note a packet, and that ``lost_before`` seem to be missing in the file before it."""
        self._sent[sent.number] = sent
        if lost_before:
            self._holes.append((lost_before, sent))
            self._is_bad = True
        self._is_bad &= not sent.is_key
        if self._is_bad or sent.corrupt:
            self._bad.add(sent.number)

    def damage(self, byte: int | None, number: int | None = None) -> None:
        """Note damage at ``byte``, of the packet ``number``: all until the next key picture builds on it."""
        self._is_damaged = True
        if self._byte is None:
            self._byte = byte
        if number is None:
            self._is_bad = True
            return
        self._bad.add(number)
        # From the newest back: where every packet fails, those before would be gone through once for each.
        later = list(takewhile(lambda n: n > number, reversed(self._sent)))
        for other in reversed(later):
            if self._sent[other].is_key:
                return
            self._bad.add(other)
        self._is_bad = True

    def receive(self, number: int, corrupt: bool, has_fields: bool, reorders: bool) -> Account:
        """Note the picture of packet ``number``."""
        if number in self._written_off:
            self._written_off.discard(number)
            self._owed += 1
        self._has_fields |= has_fields
        sent = self._sent.pop(number, None) or Sent(number, None, None, corrupt, False)
        if corrupt or sent.corrupt:
            self.damage(sent.byte, number)
        lost, passed = self._passed(sent, reorders)
        self._has_begun = True
        guessed = number in self._bad
        self._bad.discard(number)
        if not (lost or guessed):  # damage met already may lie behind pictures that the decoder still held
            return Account(0, passed, False, None)
        byte, self._byte = self._byte if self._byte is not None else sent.byte, None
        return Account(lost, passed, guessed, byte)

    def rest(self) -> Account:
        """What never came, once all pictures were received."""
        unseen = sum(1 for sent in self._sent.values() if self._counts(sent))
        return Account(unseen + sum(lost for lost, _ in self._holes), 0, False, self._byte)

    def _passed(self, sent: Sent, reorders: bool) -> tuple[int, int]:
        """How many pictures should have come before that of ``sent`` and did not; of how many packets."""
        passed = [other for other in self._sent.values() if self._precedes(other, sent, reorders)]
        for other in passed:
            del self._sent[other.number]
        missed = {other.number for other in passed if self._counts(other)}
        if missed:
            self.damage(sent.byte, min(missed))
        self._written_off |= missed
        repaid = min(self._owed, len(missed))
        self._owed -= repaid
        behind = [hole for hole in self._holes if hole[1].number > sent.number]
        in_holes = sum(n for n, _ in self._holes) - sum(n for n, _ in behind)
        self._holes = behind
        return len(missed) - repaid + in_holes, len(passed)

    def _counts(self, sent: Sent) -> bool:
        """Whether the picture of ``sent``, which was passed over, is lost."""
        if self._codec in _HIDE_SOME:
            return sent.corrupt
        if self._strict or self._is_damaged or sent.corrupt:
            return True
        # A stream that begins between two key pictures holds some at first that nobody can decode, and of one
        # in fields two packets may make a picture.
        return self._has_begun and not self._has_fields and self._codec in _SHOW_ALL

    def _precedes(self, other: Sent, sent: Sent, reorders: bool) -> bool:
        """Whether the picture of ``other`` should have come before that of ``sent``."""
        if self._by_number or other.pts is None or sent.pts is None:
            return other.number < sent.number - (_MAX_REORDER if reorders else 0)
        patience = _PATIENCE if reorders and not self._strict else 0
        return other.pts < sent.pts and other.number <= sent.number - patience
