import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import floats
from tests.tiny import face_points
from train.data.readers import LabelledFace
from train.errors import DataError
from train.evaluate import collect, evaluate, nearest_face, read_predictions, score

TRUTH = face_points()
FAR = face_points((600, 500), 100)


def line(name, *faces, **more):
    record = {"source": name, "frame": 0, "time_s": 0, "width": 320, "height": 240}
    found = [{"id": 1, "box": [0, 0, 1, 1], "score": 1, "landmarks": np.asarray(p).tolist()} for p in faces]
    return json.dumps(record | {"faces": found} | more)


def error_line(name):
    return json.dumps({"source": name, "frame": 0, "error": "not an image"})


def write(path, *lines):
    path.write_text("".join(text + "\n" for text in lines))
    return path


def labelled(tmp_path, *names):
    """Test faces named ``subset/file``, all with the same points."""
    return [LabelledFace(tmp_path / name, TRUTH, name.partition("/")[0]) for name in names]


def shifted(percent):
    """TRUTH with an error of ``percent`` of the inter-ocular distance at every point."""
    return TRUTH + np.array((percent / 100 * math.dist(TRUTH[36], TRUTH[45]), 0))


def test_lines_are_read_by_name(tmp_path):
    path = write(tmp_path / "p.jsonl", line("a.jpg", TRUTH, FAR), line("b.jpg"), error_line("c.jpg"))
    found = read_predictions(path)
    assert list(found) == ["a.jpg", "b.jpg", "c.jpg"]
    assert [len(faces) for faces in found.values()] == [2, 0, 0]
    assert np.array_equal(found["a.jpg"][1], FAR)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        '{"faces": []}',
        '{"source": 3, "faces": []}',
        '{"source": "b.jpg"}',
        '{"source": "b.jpg", "faces": 5}',
        '{"source": "b.jpg", "faces": [5]}',
        '{"source": "b.jpg", "faces": [{"box": [1]}]}',
        line("b.jpg", TRUTH[:67]),
        line("b.jpg", np.zeros((68, 2))),
        line("b.jpg", TRUTH * math.nan),
        line("b.jpg", TRUTH).replace("[[", '[["x", 1], [', 1),
        "[" * 100_000,
    ],
)
def test_a_malformed_line_is_refused_with_file_and_line(tmp_path, bad):
    path = write(tmp_path / "p.jsonl", line("a.jpg", TRUTH), bad, line("c.jpg"))
    with pytest.raises(DataError, match=r"p\.jsonl:2: ") as caught:
        read_predictions(path)
    assert "\n" not in str(caught.value)


def test_two_lines_about_one_image_are_refused(tmp_path):
    path = write(tmp_path / "p.jsonl", line("a.jpg"), line("b.jpg"), line("a.jpg"))
    with pytest.raises(DataError, match=r"p\.jsonl:3: a second line about a\.jpg"):
        read_predictions(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content):
    path = tmp_path / "p.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"p\.jsonl: cannot be read"):
        read_predictions(path)


def test_the_nearest_face_is_the_one_that_overlaps_most():
    near, nearer = TRUTH + 30, TRUTH + 3
    for order in ([near, FAR, nearer], [nearer, FAR, near], [FAR, nearer]):
        assert nearest_face(TRUTH, order) is nearer


@pytest.mark.parametrize("found", [[], [FAR]])
def test_without_overlap_there_is_no_nearest_face(found):
    assert nearest_face(TRUTH, found) is None


def test_every_way_of_missing_counts_as_a_miss(tmp_path):
    faces = labelled(tmp_path, *(f"lfpw/{name}.jpg" for name in "abcdef"))
    path = write(
        tmp_path / "p.jsonl",
        line("a.jpg", FAR, shifted(2)),
        line("b.jpg", shifted(12)),
        line("c.jpg"),
        error_line("d.jpg"),
        line("e.jpg", FAR),
        line("elsewhere.jpg", TRUTH),
    )  # and no line for f.jpg
    (result,) = evaluate(faces, collect(faces, [(None, path)]))
    assert (result.subset, result.faces, result.misses) == ("lfpw", 6, 4)
    assert result.nme_mean == pytest.approx(7)
    assert result.nme_median == pytest.approx(7)
    assert result.failure_rate_10 == pytest.approx(5 / 6)
    assert result.auc_8 == pytest.approx((1 - 2 / 8) / 6)


def test_nothing_found_has_no_nme():
    result = score("lfpw", np.array([math.inf, math.inf]))
    assert math.isnan(result.nme_mean)
    assert math.isnan(result.nme_median)
    assert (result.misses, result.failure_rate_10, result.auc_8) == (2, 1, 0)


def test_one_file_of_one_subset_scores_that_subset_only(tmp_path):
    faces = labelled(tmp_path, "lfpw/a.jpg", "helen/b.jpg")
    path = write(tmp_path / "p.jsonl", line("b.jpg", shifted(1)))
    assert [(s.subset, s.faces) for s in evaluate(faces, collect(faces, [(None, path)]))] == [("helen", 1)]


@pytest.mark.parametrize("split", [True, False])
def test_two_subsets_are_scored_apart_and_together(tmp_path, split):
    faces = labelled(tmp_path, "lfpw/a.jpg", "helen/b.jpg", "helen/c.jpg")
    lines = line("a.jpg", shifted(1)), line("b.jpg", shifted(4)), line("c.jpg", shifted(7))
    if split:
        files = [write(tmp_path / "1.jsonl", lines[0]), write(tmp_path / "2.jsonl", *lines[1:])]
    else:
        files = [write(tmp_path / "all.jsonl", *lines)]
    scores = evaluate(faces, collect(faces, [(None, path) for path in files]))
    assert [(s.subset, s.faces) for s in scores] == [("lfpw", 1), ("helen", 2), ("lfpw + helen", 3)]
    assert [s.nme_mean for s in scores] == pytest.approx([1, 5.5, 4])


def test_a_name_in_both_subsets_needs_the_subset_and_then_works(tmp_path):
    faces = labelled(tmp_path, "lfpw/a.jpg", "helen/a.jpg", "helen/b.jpg")
    of_lfpw = write(tmp_path / "lfpw.jsonl", line("a.jpg", shifted(1)))
    of_helen = write(tmp_path / "helen.jsonl", line("a.jpg", shifted(3)), line("b.jpg", shifted(3)))
    with pytest.raises(DataError, match="lfpw and helen: say --predictions SUBSET="):
        collect(faces, [(None, of_lfpw)])
    scores = evaluate(faces, collect(faces, [("lfpw", of_lfpw), ("helen", of_helen)]))
    assert [s.nme_mean for s in scores] == pytest.approx([1, 3, 7 / 3])


def test_two_files_about_one_image_are_refused(tmp_path):
    faces = labelled(tmp_path, "lfpw/a.jpg")
    path = write(tmp_path / "p.jsonl", line("a.jpg"))
    with pytest.raises(DataError, match=r"p\.jsonl: lfpw image a\.jpg is in an earlier"):
        collect(faces, [(None, path), (None, path)])


@pytest.mark.parametrize("subset", [None, "helen"])
def test_a_file_about_other_images_is_refused(tmp_path, subset):
    faces = labelled(tmp_path, "lfpw/a.jpg", "helen/c.jpg")
    path = write(tmp_path / "p.jsonl", line("a.jpg" if subset else "b.jpg", TRUTH))
    with pytest.raises(DataError, match=r"p\.jsonl: names no image of " + (subset or "the test sets")):
        collect(faces, [(subset, path)])


@given(st.lists(floats(0, 30) | st.just(math.inf), min_size=1, max_size=40))
def test_misses_never_improve_rate_or_area(errors):
    """Against the same faces found with an error just past every threshold."""
    nme = np.array(errors)
    result, worst = score("x", nme), score("x", np.where(np.isfinite(nme), nme, 31))
    assert result.failure_rate_10 == worst.failure_rate_10
    assert result.auc_8 == worst.auc_8
    assert result.misses == np.isinf(nme).sum()
