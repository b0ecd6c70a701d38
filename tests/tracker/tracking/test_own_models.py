"""Trackers on models of one's own: by path, without a detector, and with boxes of a file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.own_models import FIVE, spot, write_box_detector, write_spot_model
from tracker.errors import MisuseError, SourceError, WeightsError
from tracker.sources.arrays import frame_from
from tracker.tracking.opening import OpenedTracker, TrackerOptions, open_tracker
from tracker.types import Frame, FrameResult


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    about = {"name": "spot finder", "licence": "CC0", "admission": {"bias": -4.0}}
    return write_spot_model(tmp_path_factory.mktemp("own") / "spot.onnx", about=about)


def path_of(index: int) -> tuple[float, float]:
    """Return where the spot of frame ``index`` is, pixels."""
    return 100 + 3.3 * index, 110 + 1.7 * index


def frames(count: int = 12) -> list[Frame]:
    return [Frame(spot(path_of(i)), i, i / 25) for i in range(count)]


def middle(result: FrameResult) -> tuple[float, float]:
    (face,) = result.faces
    x, y = face.landmarks.points_frame[4].tolist()
    return x, y


def test_a_model_by_its_path_is_tracked_without_a_detector(model: Path) -> None:
    with open_tracker(model, "cpu", "none", threads=1, smoothing="off") as tracker:
        assert tracker.scheme == FIVE
        for index, frame in enumerate(frames()):
            result = tracker.step(frame)
            # Grey levels are whole, and the crop is sampled again: a few hundredths of a pixel.
            assert np.abs(np.subtract(middle(result), path_of(index))).max() < 0.1
            assert result.faces[0].id == 1
            assert result.faces[0].landmarks.scheme == FIVE
        (face,) = tracker.find(spot((150, 90))).faces
        assert np.abs(face.landmarks.points_frame[4] - (150, 90)).max() < 0.1


def test_without_a_detector_a_face_is_found_again_in_the_next_frame(model: Path) -> None:
    with open_tracker(model, "cpu", "none", threads=1) as tracker:
        shown = [True, False, False, True, True, False, True]
        for index, is_shown in enumerate(shown):
            picture = spot((160, 120)) if is_shown else np.zeros((240, 320, 3), np.uint8)
            assert len(tracker.step(Frame(picture, index, index / 25)).faces) == is_shown


def test_one_face_is_followed_without_a_detector() -> None:
    options = TrackerOptions(detector="none", max_faces=5)
    assert options.settings().max_faces == options.max_faces == 1
    assert options.max_still_faces is None


def test_results_tell_the_model_that_made_them(model: Path) -> None:
    with open_tracker(str(model), "cpu", "none", threads=1) as tracker:
        assert tracker.label == "spot finder on CPUExecutionProvider"
        made_by = tracker.made_by
        assert made_by["model"]["name"] == "spot finder"
        assert made_by["model"]["scheme"] == "spot"
        assert len(made_by["model"]["sha256"]) == 64
        assert made_by["detector"] == "none"
        assert made_by["settings"]["admission"]["bias"] == -4.0


def test_identity_follows_the_bytes_of_the_files_not_their_places(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = TrackerOptions(str(model), detector="none").identity()
    monkeypatch.chdir(model.parent)
    assert TrackerOptions("spot.onnx", detector="none").identity() == identity
    other = write_spot_model(tmp_path / "spot.onnx", about={"name": "spot finder"})
    assert TrackerOptions(str(other), detector="none").identity()["weights"] != identity["weights"]
    toml = Path("spot.toml")
    toml.write_text("[crop]\nmargin = 4.5\n", encoding="utf-8")
    try:
        assert TrackerOptions("spot.onnx", detector="none").identity()["weights"][0] == identity["weights"][0]
        assert TrackerOptions("spot.onnx", detector="none").identity() != identity
    finally:
        toml.unlink()


def test_a_path_object_is_a_path_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert TrackerOptions(Path("resnet18")).model == os.path.join(".", "resnet18")  # type: ignore[arg-type]  # noqa: PTH118
    with pytest.raises(WeightsError, match="resnet18 does not exist"):
        open_tracker(Path("resnet18"))
    with pytest.raises(WeightsError, match="does not exist"):
        open_tracker(detector=Path("none"))


def test_a_model_that_is_not_there_or_broken_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no")
    for name in ("bad.onnx", "none.onnx"):
        with pytest.raises(WeightsError, match=name) as caught:
            open_tracker(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_detector_of_ones_own_starts_tracks(model: Path, tmp_path: Path) -> None:
    path = write_box_detector(tmp_path / "net.onnx", (32, 32, 56, 56))  # around (110, 110) of 320 x 240
    options = TrackerOptions(str(model), "cpu", str(path), threads=1, smoothing="off")
    with options.open() as tracker:
        for index, frame in enumerate(frames(4)):
            assert np.abs(np.subtract(middle(tracker.step(frame)), path_of(index))).max() < 0.1
        assert tracker.made_by["detector"]["name"] == "net.onnx"
        identity = options.identity()
        assert tracker.made_by["detector"] == identity["detector"]
    toml = path.with_suffix(".toml")
    toml.write_text(toml.read_text(encoding="utf-8") + "logit = false\n", encoding="utf-8")
    assert options.identity() != identity


def with_boxes(model: Path, path: Path, text: str) -> OpenedTracker:
    path.write_text(text, encoding="utf-8")
    options = TrackerOptions(str(model), "cpu", threads=1, smoothing="off", boxes=str(path))
    return options.open()


def test_boxes_of_a_video_start_tracks_in_their_frames(model: Path, tmp_path: Path) -> None:
    rows = "frame,x0,y0,x1,y1\n3,80,90,140,140\n"
    with with_boxes(model, tmp_path / "boxes.csv", rows) as tracker:
        results = [tracker.step(frame) for frame in frames(8)]
        assert [len(result.faces) for result in results] == [0, 0, 0, 1, 1, 1, 1, 1]
        for index in range(3, 8):
            assert np.abs(np.subtract(middle(results[index]), path_of(index))).max() < 0.1
        assert tracker.made_by["detector"]["boxes"] == "boxes.csv"


def test_boxes_of_pictures_go_by_name(model: Path, tmp_path: Path) -> None:
    rows = "image,x0,y0,x1,y1\na.png,80,90,140,140\n"
    with with_boxes(model, tmp_path / "boxes.csv", rows) as tracker:
        found = tracker.find_all([Frame(spot(path_of(0)), source=name) for name in ("a.png", "b.png")])
        assert [len(result.faces) for result in found] == [1, 0]
        with pytest.raises(MisuseError, match="this picture has none"):
            tracker.find(spot(path_of(0)))
        before = TrackerOptions(boxes=str(tmp_path / "boxes.csv")).identity()
    (tmp_path / "boxes.csv").write_text(rows.replace("140", "141"), encoding="utf-8")
    assert TrackerOptions(boxes=str(tmp_path / "boxes.csv")).identity() != before


def test_boxes_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        TrackerOptions(boxes=str(tmp_path / "none.csv")).open()
    with pytest.raises(MisuseError, match="take the place of a detector, got also 'none'"):
        TrackerOptions(boxes="a.csv", detector="none")
    with pytest.raises(MisuseError, match="boxes is the path of a file, got 3"):
        TrackerOptions(boxes=3)  # type: ignore[arg-type]


def test_a_model_whose_points_are_not_finite_ends_in_one_line(tmp_path: Path) -> None:
    offsets = np.full((5, 2), np.nan)
    broken = write_spot_model(tmp_path / "nan.onnx", offsets=offsets)
    with (
        open_tracker(broken, "cpu", "none", threads=1) as tracker,
        pytest.raises(WeightsError, match=r"nan\.onnx gives points that are not finite"),
    ):
        tracker.step(frame_from(spot((160, 120))))
