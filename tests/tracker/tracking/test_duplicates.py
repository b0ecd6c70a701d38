"""Duplicates: two tracks on one face become one."""

from __future__ import annotations

from tests.scene import Scene, ids
from tests.shapes import face_box
from tests.tracks import FPS, look, sighting_at, track_at
from tracker.tracking.appearance import Appearance
from tracker.tracking.duplicates import overlaps_any, without_duplicates


def test_boxes_overlap_from_the_given_iou_on() -> None:
    box, near, far = face_box((200, 200), 100), face_box((220, 200), 100), face_box((400, 200), 100)
    iou = box.iou(near)
    assert overlaps_any(box, [far, near], iou)
    assert not overlaps_any(box, [far, near], iou + 1e-6)
    assert not overlaps_any(box, [], 0.1)


def test_of_two_tracks_on_one_face_the_expected_one_stays() -> None:
    older, younger, other = (track_at(x, 200, i) for i, x in enumerate((160, 205, 400), 1))
    here = sighting_at(204, 200)
    found = [(older, here), (younger, here), (other, sighting_at(400, 200))]
    assert without_duplicates(found, 1 / FPS, 0.3) == found[1:]


def test_of_two_tracks_on_one_face_the_one_that_looks_like_it_stays() -> None:
    tracks = [track_at(200, 200, i) for i in (1, 2)]
    for i, track in enumerate(tracks, 1):
        track.appearance = Appearance(look(i), look(i))
    here = sighting_at(200, 200, seen=look(2))
    assert without_duplicates([(track, here) for track in tracks], 1 / FPS, 0.3) == [(tracks[1], here)]


def test_of_two_tracks_that_fit_alike_the_older_stays() -> None:
    pairs = [(track_at(200, 200, i), sighting_at(200, 200)) for i in (1, 2)]
    assert without_duplicates(pairs, 1 / FPS, 0.3) == pairs[:1]


def test_two_tracks_that_slide_onto_one_face_become_the_older_one() -> None:
    scene = Scene({100: (200, 200), 200: (450, 200)})
    tracker = scene.tracker()
    scene.run(tracker, 2)
    # The second person walks to the place of the first, then only one is left between both.
    for index, x in enumerate(range(450, 250, -8), 2):
        scene.people = {100: (200, 200), 200: (x, 200)}
        tracker.step(scene.frame(index))
    scene.people = {100: (230, 200)}
    assert ids(scene.run(tracker, 3, start=60)[-1]) == [1]
