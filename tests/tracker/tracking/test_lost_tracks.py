"""Lost tracks: who is who when faces come back."""

from __future__ import annotations

from tests.scene import Scene, ids
from tests.tracks import FPS, face_at, move, track_at
from tracker.tracking.lost_tracks import match_lost_tracks, without_forgotten
from tracker.tracking.settings import TrackerSettings


def test_faces_that_crossed_while_lost_keep_their_ids() -> None:
    right, left = track_at(200, 200, 1), track_at(400, 200, 2)
    for frame in range(1, 6):
        move(right, 200 + 12 * frame, 200, frame / FPS)
        move(left, 400 - 12 * frame, 200, frame / FPS)
    faces = [face_at(400 - 12 * 11, 200), face_at(200 + 12 * 11, 200)]
    assert match_lost_tracks([right, left], faces, 11 / FPS) == [left, right]


def test_the_sum_of_distances_counts_and_not_the_nearest_pair() -> None:
    """The nearest pair would leave the other two out of reach of each other."""
    first, second = track_at(200, 200, 1), track_at(250, 200, 2)
    faces = [face_at(155, 200), face_at(205, 200)]
    assert match_lost_tracks([first, second], faces, 1 / FPS) == [first, second]


def test_a_face_far_away_or_of_another_size_is_a_new_person() -> None:
    track = track_at(200, 200)
    assert match_lost_tracks([track], [face_at(300, 200)], 1 / FPS) == [None]
    assert match_lost_tracks([track], [face_at(200, 200, width=350)], 1 / FPS) == [None]
    assert match_lost_tracks([track], [face_at(240, 200)], 1 / FPS) == [track]
    assert match_lost_tracks([], [face_at(240, 200)], 1 / FPS) == [None]
    assert match_lost_tracks([track], [], 1 / FPS) == []


def test_a_face_may_come_back_further_away_the_longer_it_was_lost() -> None:
    track = track_at(200, 200)
    assert match_lost_tracks([track], [face_at(300, 200)], 1.0) == [track]


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
