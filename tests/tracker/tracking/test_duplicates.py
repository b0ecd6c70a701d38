"""Duplicates: two tracks on one face become one."""

from __future__ import annotations

from tests.scene import Scene, ids
from tests.shapes import face_box
from tests.tracks import track_at
from tracker.tracking.duplicates import overlaps_any, without_duplicates


def test_boxes_overlap_from_the_given_iou_on() -> None:
    box, near, far = face_box((200, 200), 100), face_box((220, 200), 100), face_box((400, 200), 100)
    iou = box.iou(near)
    assert overlaps_any(box, [far, near], iou)
    assert not overlaps_any(box, [far, near], iou + 1e-6)
    assert not overlaps_any(box, [], 0.1)


def test_the_older_of_two_live_tracks_stays_and_lost_ones_do_not_count() -> None:
    lost, older, younger, other = (track_at(x, 200, i) for i, x in enumerate((200, 200, 205, 400), 1))
    lost.lost_at_s = 0.0
    assert without_duplicates([lost, older, younger, other], 0.3) == [lost, older, other]


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
