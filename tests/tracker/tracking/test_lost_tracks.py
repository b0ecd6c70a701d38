"""Lost tracks: who is who when faces come back."""

from __future__ import annotations

from collections.abc import Sequence

from tests.scene import Scene, ids
from tests.tracks import FPS, look, move, sighting_at, track_at
from tracker.tracking.appearance import Appearance
from tracker.tracking.lost_tracks import match_lost_tracks, tracks_to_retry, without_forgotten
from tracker.tracking.settings import IdentitySettings, TrackerSettings
from tracker.tracking.sighting import Sighting
from tracker.tracking.track import Track

IDENTITY = IdentitySettings()


def match(lost: Sequence[Track], faces: Sequence[Sighting], time_s: float) -> list[Track | None]:
    return match_lost_tracks(lost, faces, time_s, IDENTITY)


def test_faces_that_crossed_while_lost_keep_their_ids() -> None:
    right, left = track_at(200, 200, 1), track_at(400, 200, 2)
    for frame in range(1, 6):
        move(right, 200 + 12 * frame, 200, frame / FPS)
        move(left, 400 - 12 * frame, 200, frame / FPS)
    faces = [sighting_at(400 - 12 * 11, 200), sighting_at(200 + 12 * 11, 200)]
    assert match([right, left], faces, 11 / FPS) == [left, right]


def test_the_sum_of_distances_counts_and_not_the_nearest_pair() -> None:
    """The nearest pair would leave the other two out of reach of each other."""
    first, second = track_at(200, 200, 1), track_at(250, 200, 2)
    faces = [sighting_at(155, 200), sighting_at(205, 200)]
    assert match([first, second], faces, 1 / FPS) == [first, second]


def test_a_face_far_away_or_of_another_size_is_a_new_person() -> None:
    track = track_at(200, 200)
    assert match([track], [sighting_at(300, 200)], 1 / FPS) == [None]
    assert match([track], [sighting_at(200, 200, width=350)], 1 / FPS) == [None]
    assert match([track], [sighting_at(240, 200)], 1 / FPS) == [track]
    assert match([], [sighting_at(240, 200)], 1 / FPS) == [None]
    assert match([track], [], 1 / FPS) == []


def test_a_face_may_come_back_further_away_the_longer_it_was_lost() -> None:
    track = track_at(200, 200)
    assert match([track], [sighting_at(300, 200)], 1.0) == [track]


def test_a_face_comes_back_at_most_a_width_and_a_third_away() -> None:
    track = track_at(200, 200)
    assert match([track], [sighting_at(329, 200)], 2.9) == [track]
    assert match([track], [sighting_at(335, 200)], 2.9) == [None]


def test_a_face_that_looks_like_another_person_does_not_take_the_id() -> None:
    track = track_at(200, 200)
    track.appearance = Appearance(look(1), look(1))
    same, other, vague = (sighting_at(200, 200, seen=seen) for seen in (look(1, 0.2), look(2), look(1, 1.2)))
    for seen, expected in ((same, track), (other, None), (vague, track)):
        assert match([track], [seen], 1 / FPS) == [expected]
    track.doubted = True
    for seen, expected in ((same, track), (other, None), (vague, None), (sighting_at(200, 200), None)):
        assert match([track], [seen], 1 / FPS) == [expected]


def test_all_lost_tracks_are_sought_at_first_and_then_one_in_turn() -> None:
    lost = [track_at(100 * i, 200, i) for i in range(1, 5)]
    for track in lost[1:]:
        track.tries = 2 + track.id
    turns = [[track.id for track in tracks_to_retry(lost, frame, IDENTITY)] for frame in range(2)]
    assert turns == [[1, 2], [1]]
    lost[1].tries += 3
    assert [track.id for track in tracks_to_retry(lost[1:], 2, IDENTITY)] == [3]


def test_tracks_are_forgotten_some_time_after_they_were_lost() -> None:
    live, recent, old = track_at(100, 200, 1), track_at(300, 200, 2), track_at(500, 200, 3)
    recent.lost_at_s, old.lost_at_s = 9.0, 8.9
    assert without_forgotten([live, recent, old], 10.0, memory_s=1.0) == [live, recent]


def test_a_lost_face_is_not_reported_and_comes_back_under_its_id() -> None:
    scene = Scene({200: (200, 200)})
    tracker = scene.tracker(TrackerSettings(memory_s=1.0))
    scene.run(tracker, 3)
    scene.hidden = {200}
    assert [ids(result) for result in scene.run(tracker, 20, start=3)] == [[]] * 20
    scene.hidden = set()
    assert ids(scene.run(tracker, 1, start=23)[0]) == [1]


def test_the_id_of_a_forgotten_face_is_never_reused() -> None:
    scene = Scene({200: (200, 200)})
    tracker = scene.tracker(TrackerSettings(memory_s=0.5))
    scene.run(tracker, 3)
    scene.hidden = {200}
    scene.run(tracker, 30, start=3)
    scene.hidden = set()
    assert ids(scene.run(tracker, 1, start=33)[0]) == [2]


def test_a_face_elsewhere_does_not_inherit_a_lost_id() -> None:
    scene = Scene({200: (120, 200)})
    tracker = scene.tracker()
    scene.run(tracker, 3)
    scene.people = {100: (500, 200)}
    assert ids(scene.run(tracker, 1, start=3)[0]) == [2]


def test_two_people_who_pass_each_other_hidden_keep_their_ids() -> None:
    scene = Scene()
    tracker = scene.tracker()
    for index in range(30):
        scene.people = {100: (140 + 12 * index, 150), 200: (500 - 12 * index, 320)}
        scene.hidden = {100, 200} if 12 <= index < 18 else set()
        result = tracker.step(scene.frame(index))
        if not scene.hidden:
            by_place = {face.id: face.box.center[1] for face in result.faces}
            assert by_place[1] < by_place[2]
    assert len(by_place) == 2
