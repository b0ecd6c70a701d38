from __future__ import annotations

from tracker.sources.video.missing_frames import MissingFrames, PictureReport, SentPacket

UNDAMAGED = PictureReport(0, 0, False, None)


def _packet(number: int, pts: int | None = None, corrupt: bool = False, is_key: bool = False) -> SentPacket:
    return SentPacket(number, number if pts is None else pts, number * 100, corrupt, is_key)


def _send(frames: MissingFrames, count: int, keys: tuple[int, ...] = (0,)) -> None:
    for number in range(count):
        frames.send(_packet(number, is_key=number in keys), 0)


def _receive(frames: MissingFrames, number: int, corrupt: bool = False) -> PictureReport:
    return frames.receive(number, corrupt, has_fields=False, reorders=False)


def test_pictures_of_all_packets_are_undamaged() -> None:
    frames = MissingFrames("h264", by_number=False, strict=False)
    _send(frames, 5)
    assert [_receive(frames, number) for number in range(5)] == [UNDAMAGED] * 5
    assert frames.rest() == UNDAMAGED


def test_a_packet_without_a_picture_is_a_missing_frame() -> None:
    frames = MissingFrames("h264", by_number=False, strict=False)
    _send(frames, 4)
    assert _receive(frames, 0) == UNDAMAGED
    # The next pictures, up to a key frame, may build on the missing one.
    assert _receive(frames, 2) == PictureReport(1, 1, True, 200)
    assert _receive(frames, 3) == PictureReport(0, 0, True, 300)


def test_a_key_frame_ends_the_damage() -> None:
    frames = MissingFrames("h264", by_number=False, strict=False)
    _send(frames, 4, keys=(0, 2))
    frames.add_damage(100, 1)
    assert _receive(frames, 0) == UNDAMAGED
    assert _receive(frames, 1) == PictureReport(0, 0, True, 100)
    assert _receive(frames, 2) == UNDAMAGED


def test_hidden_frames_of_vp8_are_not_missing() -> None:
    frames = MissingFrames("vp8", by_number=False, strict=True)
    _send(frames, 3)
    assert _receive(frames, 0) == UNDAMAGED
    assert _receive(frames, 2) == PictureReport(0, 1, False, None)


def test_packets_before_the_first_picture_are_not_missing_unless_strict() -> None:
    for strict, missing in ((False, 0), (True, 1)):
        frames = MissingFrames("h264", by_number=False, strict=strict)
        _send(frames, 2)
        assert _receive(frames, 1).missing == missing


def test_gaps_in_the_file_count_before_the_next_picture() -> None:
    frames = MissingFrames("h264", by_number=False, strict=False)
    frames.send(_packet(0, is_key=True), 0)
    frames.send(_packet(1, pts=8), 7)
    assert _receive(frames, 0) == UNDAMAGED
    assert _receive(frames, 1) == PictureReport(7, 0, True, 100)


def test_a_picture_that_comes_late_is_offset_by_the_next_missing_one() -> None:
    frames = MissingFrames("h264", by_number=False, strict=False)
    _send(frames, 6)
    assert _receive(frames, 0) == UNDAMAGED
    assert _receive(frames, 2).missing == 1
    assert _receive(frames, 1).missing == 0
    assert _receive(frames, 4).missing == 0


def test_b_frames_are_shown_before_packets_sent_earlier() -> None:
    frames = MissingFrames("h264", by_number=False, strict=False)
    for number, pts in enumerate((0, 3, 1, 2)):
        frames.send(_packet(number, pts=pts, is_key=number == 0), 0)
    for number in (0, 2, 3, 1):
        assert frames.receive(number, False, has_fields=False, reorders=True) == UNDAMAGED


def test_packets_never_shown_are_missing_at_the_end() -> None:
    frames = MissingFrames("h264", by_number=False, strict=False)
    _send(frames, 3)
    assert _receive(frames, 0) == UNDAMAGED
    assert frames.rest() == PictureReport(2, 0, False, None)


def test_a_corrupt_picture_is_guessed() -> None:
    frames = MissingFrames("h264", by_number=False, strict=False)
    _send(frames, 2)
    assert _receive(frames, 0, corrupt=True) == PictureReport(0, 0, True, 0)
