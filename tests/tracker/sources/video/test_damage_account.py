from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import pytest
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.media import write_video
from tracker.sources.video.damage_account import DamageAccount, DamageFoundError, Finding
from tracker.types import Damage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.mp4"
    write_video(path, 30)
    return path


def _account(path: Path, container: InputContainer, *, strict: bool) -> DamageAccount:
    account = DamageAccount(path, container, container.streams.video[0], Fraction(30), strict=strict)
    container.streams.video[0].codec_context.copy_opaque = True
    return account


def _packets(container: InputContainer) -> list[Packet[Stream]]:
    return [packet for packet in container.demux() if packet.size]


def _pictures(stream: VideoStream, packet: Packet[Stream] | None) -> list[VideoFrame]:
    return stream.decode(cast("Packet[VideoStream] | None", packet))


def _decode(account: DamageAccount, container: InputContainer, skip: frozenset[int]) -> list[Finding]:
    """Send all packets but those in ``skip`` to the decoder, and return the findings."""
    stream, findings = container.streams.video[0], []
    for number, packet in enumerate(_packets(container)):
        account.add_packet(packet, packet.pts, packet.dts, packet.is_corrupt)
        if number in skip:
            account.decoding_failed(cast("Packet[VideoStream]", packet))
            continue
        findings += [account.add_picture(picture) for picture in _pictures(stream, packet)]
    return findings + [account.add_picture(picture) for picture in _pictures(stream, None)]


def _assert_undamaged(findings: list[Finding]) -> None:
    assert {(finding.damage, finding.passed) for finding in findings} == {(None, 0)}
    assert sorted(finding.number for finding in findings) == list(range(30))


def test_another_film_that_ends_meanwhile_is_no_damage(path: Path) -> None:
    """PyAV keeps the objects that mark packets for all films together."""
    with av.open(str(path)) as container, av.open(str(path)) as other:
        account = _account(path, container, strict=False)
        stream, packets, findings = container.streams.video[0], _packets(container), []
        for packet in packets[:15]:
            account.add_packet(packet, packet.pts, packet.dts, packet.is_corrupt)
            findings += [account.add_picture(picture) for picture in _pictures(stream, packet)]
        assert len(findings) < 15  # the decoder holds some back
        _decode(_account(path, other, strict=False), other, frozenset())
        for packet in packets[15:]:
            account.add_packet(packet, packet.pts, packet.dts, packet.is_corrupt)
            findings += [account.add_picture(picture) for picture in _pictures(stream, packet)]
        findings += [account.add_picture(picture) for picture in _pictures(stream, None)]
        _assert_undamaged(findings)
        assert account.rest() is None


@pytest.mark.parametrize("strict", [True, False])
def test_an_undamaged_file_has_no_damage(path: Path, strict: bool) -> None:
    with av.open(str(path)) as container:
        account = _account(path, container, strict=strict)
        _assert_undamaged(_decode(account, container, frozenset()))
        assert account.rest() is None


def test_a_packet_that_cannot_be_decoded_is_a_missing_frame(path: Path) -> None:
    with av.open(str(path)) as container:
        account = _account(path, container, strict=False)
        findings = _decode(account, container, frozenset({12}))
        rest = account.rest()
    damages = [finding.damage for finding in findings if finding.damage]
    assert sum(damage.lost_before for damage in damages) + (rest.lost_after or 0 if rest else 0) == 1
    assert any(damage.guessed for damage in damages)


@pytest.mark.parametrize("failure", ["demuxing", "decoding", "flushing"])
def test_a_strict_account_stops_at_the_first_failure(path: Path, failure: str) -> None:
    with av.open(str(path)) as container:
        account = _account(path, container, strict=True)
        packet = _packets(container)[0]
        account.add_packet(packet, packet.pts, packet.dts, packet.is_corrupt)
        with pytest.raises(DamageFoundError):
            if failure == "demuxing":
                account.demuxing_failed()
            else:
                failed = packet if failure == "decoding" else None
                account.decoding_failed(cast("Packet[VideoStream] | None", failed))


def test_frames_after_the_last_packet_are_missing_at_the_end(path: Path) -> None:
    with av.open(str(path)) as container:
        account = _account(path, container, strict=False)
        stream = container.streams.video[0]
        for packet in _packets(container)[:20]:
            account.add_packet(packet, packet.pts, packet.dts, packet.is_corrupt)
            for picture in _pictures(stream, packet):
                account.add_picture(picture)
        for picture in _pictures(stream, None):
            account.add_picture(picture)
        rest = account.rest()
    assert isinstance(rest, Damage)
    assert rest.lost_after == 10
