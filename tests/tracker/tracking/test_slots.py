"""Slots: a lost face keeps its own, and size decides when all are held."""

from __future__ import annotations

from tests.scene import Scene, ids
from tests.shapes import face_box
from tests.tracks import track_at
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.slots import Slots
from tracker.tracking.track import Track


def main_and_other() -> list[Track]:
    """A lost face of 100 px, and a live one of 100 px elsewhere."""
    lost, live = track_at(200, 200, 1), track_at(500, 200, 2)
    lost.lose(0.0)
    return [lost, live]


def test_a_lost_track_holds_its_slot_unless_a_much_larger_face_comes() -> None:
    tracks = main_and_other()
    slots = Slots(tracks, max_faces=2, larger=1.3)
    assert not slots.make_room(face_box((350, 300), 125))
    assert slots.make_room(face_box((350, 300), 140))
    assert [track.id for track in tracks] == [2]


def test_a_doubted_track_holds_no_slot() -> None:
    tracks = main_and_other()
    tracks[0].lose(0.1, doubted=True)
    assert Slots(tracks, max_faces=2, larger=1.3).make_room(face_box((350, 300), 50))
    assert len(tracks) == 2


def test_with_all_slots_held_only_lost_and_much_larger_faces_are_located() -> None:
    slots = Slots(main_and_other(), max_faces=2, larger=1.3)
    back, bystander, large = face_box((215, 205), 100), face_box((380, 380), 110), face_box((380, 380), 150)
    assert slots.worth_locating([back, bystander, large], 0.1) == [back, large]
    assert slots.to_locate == 1
    free = Slots(main_and_other(), max_faces=3, larger=1.3)
    assert free.worth_locating([back, bystander], 0.1) == [back, bystander]


def test_one_hidden_frame_does_not_give_the_slot_to_a_bystander() -> None:
    for fps in (30.0, 5.0):
        scene = Scene({100: (150, 200), 200: (450, 240)})
        scene.boxes = [face_box((150, 200), 130)]
        tracker = scene.tracker(TrackerSettings(max_faces=1))
        shown = []
        for index in range(30):
            scene.hidden = {100} if index == 10 else set()
            scene.boxes = [face_box((450, 240), 120)] if index >= 10 else scene.boxes
            shown.append(ids(tracker.step(scene.frame(index, fps))))
        assert shown == [[1]] * 10 + [[]] + [[1]] * 19


def test_the_slot_of_a_face_that_left_is_free_after_a_while() -> None:
    scene = Scene({100: (150, 200)})
    tracker = scene.tracker(TrackerSettings(max_faces=1, memory_s=1.0))
    scene.run(tracker, 5)
    scene.people = {200: (450, 240)}
    shown = [ids(result) for result in scene.run(tracker, 50, start=5)]
    assert shown[:30] == [[]] * 30
    assert shown[-10:] == [[2]] * 10


def test_never_more_faces_than_allowed_though_a_doubted_one_is_recognised() -> None:
    """A person comes back while a passer-by has the only slot that the doubted track gave away."""
    scene = Scene({100: (150, 200)})
    tracker = scene.tracker(TrackerSettings(max_faces=1, detect_every_full=2))
    scene.run(tracker, 8)
    state = tracker.state()
    state.tracks[0].lose(0.25, doubted=True)
    tracker.restore(state)
    scene.people = {200: (450, 240)}
    scene.run(tracker, 6, start=8)
    scene.people = {100: (150, 200), 200: (450, 240)}
    shown = [ids(result) for result in scene.run(tracker, 20, start=14)]
    assert all(len(one) <= 1 for one in shown)


def test_faces_without_a_slot_are_counted_in_the_result() -> None:
    """Five people, two slots: three are left out, also in frames in which the detector rests."""
    people = {60 + 20 * i: (80.0 + 120 * i, 200.0) for i in range(5)}
    scene = Scene({**people})
    results = scene.run(scene.tracker(TrackerSettings(max_faces=2)), 10)
    assert [len(result.faces) for result in results] == [2] * 10
    assert [result.left_out for result in results] == [3] * 10
    enough = scene.run(scene.tracker(TrackerSettings(max_faces=5)), 10)
    assert [(len(result.faces), result.left_out) for result in enough] == [(5, 0)] * 10


def test_the_count_follows_people_who_leave() -> None:
    people = {60 + 20 * i: (80.0 + 120 * i, 200.0) for i in range(5)}
    scene = Scene(people)
    tracker = scene.tracker(TrackerSettings(max_faces=2, detect_every_full=4))
    assert scene.run(tracker, 1)[0].left_out == 3
    followed = {face.id for face in scene.run(tracker, 1, start=1)[0].faces}
    scene.people = dict(list(people.items())[:2])
    results = scene.run(tracker, 8, start=2)
    assert {face.id for face in results[-1].faces} == followed
    assert (results[0].left_out, results[-1].left_out) == (3, 0)
    assert tracker.state().left_out == 0


def test_only_an_explicit_limit_cuts_the_faces_of_a_picture() -> None:
    scene = Scene({60 + 20 * i: (80.0 + 120 * i, 200.0) for i in range(5)})
    free = scene.tracker(TrackerSettings(max_faces=1)).find(scene.frame(0))
    assert (len(free.faces), free.left_out) == (5, 0)
    cut = scene.tracker(TrackerSettings(max_still_faces=2)).find(scene.frame(0))
    assert (ids(cut), cut.left_out) == ([1, 2], 3)
    assert cut.faces == free.faces[:2]
