from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.media import write_video
from tracker.sources.video.coverage import Coverage, stated_frame_count

FPS = Fraction(30)


def _write(folder: Path, suffix: str, count: int = 60) -> Path:
    path = folder / f"clip{suffix}"
    write_video(path, count, tick=Fraction(1, 30))
    return path


@pytest.mark.parametrize(("suffix", "expected"), [(".mp4", 60), (".mkv", 60), (".avi", 60), (".ts", None)])
def test_the_stated_number_of_frames(tmp_path: Path, suffix: str, expected: int | None) -> None:
    with av.open(str(_write(tmp_path, suffix))) as container:
        count = stated_frame_count(container, container.streams.video[0], FPS)
    assert count == expected if expected else count in (None, 60)


def _missing_at_end(path: Path, packets: int) -> int | None:
    """Return the missing frames after reading this many video packets."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        coverage = Coverage(path, container, stream, FPS)
        for packet in [p for p in container.demux() if p.size][:packets]:
            assert not coverage.has_gap_before(packet)
            assert coverage.add(packet, packet.pts, packet.dts, packet.is_corrupt) == 0
        assert coverage.end_byte > 0
        return coverage.missing_at_end()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_nothing_is_missing_of_a_file_read_to_its_end(tmp_path: Path, suffix: str) -> None:
    assert _missing_at_end(_write(tmp_path, suffix), 60) == 0


def test_an_indexed_file_states_how_many_frames_are_missing(tmp_path: Path) -> None:
    assert _missing_at_end(_write(tmp_path, ".mp4"), 40) == 20


def test_an_unindexed_file_is_compared_by_time(tmp_path: Path) -> None:
    path = _write(tmp_path, ".mkv", 120)
    assert _missing_at_end(path, 60) == pytest.approx(60, abs=2)


def test_a_gap_in_bytes_and_time_is_missing_frames(tmp_path: Path) -> None:
    path = _write(tmp_path, ".mkv")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        coverage = Coverage(path, container, stream, FPS)
        packets = [p for p in container.demux() if p.size]
        for packet in packets[:30]:
            coverage.add(packet, packet.pts, packet.dts, packet.is_corrupt)
        coverage.note_failure()
        # Ten are; the estimate uses the rate measured so far, the gap included.
        assert 5 <= coverage.add(packets[40], packets[40].pts, packets[40].dts, False) <= 10
