"""Following: a replaced face ends its track, a hidden one does not."""

from __future__ import annotations

from dataclasses import replace

from tests.tracks import FPS, look, sighting_at, track_at
from tracker.tracking.appearance import Appearance
from tracker.tracking.following import Following
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.track import Track

HW = (480, 640)


def known_track(x: float, track_id: int = 1) -> Track:
    """A person whose look is known from some frames."""
    track = track_at(x, 200, track_id)
    track.appearance, track.looked_at_s = Appearance(look(track_id), look(track_id)), 0.0
    for _ in range(5):
        track.appearance.update(look(track_id, 0.1))
    return track


def following(time_s: float = 1 / FPS) -> Following:
    return Following(TrackerSettings(), HW, time_s)


def test_another_face_in_the_same_place_ends_the_track() -> None:
    track, other = known_track(200), sighting_at(202, 200, seen=look(7))
    assert following().follow([(track, other)], looks_cut=False) == [other]
    assert (track.is_lost, track.doubted) == (True, True)


def test_a_face_near_another_head_is_not_judged_by_its_look() -> None:
    hidden, front = known_track(200), known_track(310, 2)
    pairs = [(hidden, sighting_at(202, 200, seen=look(7))), (front, sighting_at(310, 200, seen=look(2)))]
    assert following().follow(pairs, looks_cut=False) == []
    assert not hidden.is_lost
    assert hidden.likeness(look(1)) == known_track(200).likeness(look(1))  # its look is not updated


def test_a_face_seen_long_ago_is_judged_only_if_the_picture_looks_cut() -> None:
    for looks_cut in (False, True):
        track = known_track(200)
        following(0.5).follow([(track, sighting_at(202, 200, seen=look(7)))], looks_cut)
        assert track.is_lost is looks_cut


def test_a_doubtful_face_goes_on_unless_the_picture_looks_cut() -> None:
    for looks_cut in (False, True):
        track = known_track(200)
        doubtful = sighting_at(201, 200, seen=look(1))
        doubtful = doubtful._replace(landmarks=replace(doubtful.landmarks, presence=0.7))
        assert following().follow([(track, doubtful)], looks_cut) == []
        assert (track.is_lost, track.doubted) == (looks_cut, looks_cut)


def test_a_face_that_was_beside_another_for_long_is_not_judged_by_its_old_look() -> None:
    """Its look was not kept meanwhile; it is from here on."""
    track, other = known_track(200), known_track(310, 2)
    for step in range(1, 12):
        pairs = [(track, sighting_at(200, 200, seen=look(1))), (other, sighting_at(310, 200, seen=look(2)))]
        following(step / FPS).follow(pairs, looks_cut=False)
    following(12 / FPS).follow([(track, sighting_at(200, 200, seen=look(7)))], looks_cut=False)
    assert (track.is_lost, track.looked_at_s) == (False, 12 / FPS)


def test_a_lost_face_comes_back_unless_another_track_is_there() -> None:
    lost, live = known_track(200), known_track(205, 2)
    lost.lose(0.0)
    here = (lost, sighting_at(201, 200, seen=look(1)))
    assert following().bring_back([here], [live]) == []
    assert following().bring_back([here], []) == [here]
    assert lost.tries == 2
