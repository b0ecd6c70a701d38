import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.types import FloatArray

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from tests.faces import astronaut
from tests.tiny import face_points, template, write_face
from tracker.geometry import CropTransform
from train.data.dataset import from_unit
from train.errors import DataError, RunError
from train.models.heatmap import HeatmapCodec
from train.models.output import LandmarkOutput
from train.studies.pseudo_labels import (
    PSEUDO,
    PseudoLabel,
    first_guesses,
    label_faces,
    read_labels,
    write_labels,
)

SIDE = 0.6 * template()
"""Points that the teacher predicts, in crop sides; as symmetric as the template."""


class Teacher(nn.Module):
    """Network that sees the same symmetric face in every crop, moved right by ``bias`` crop sides."""

    def __init__(
        self, sigma: float = 1.0, bias: float = 0.0, presence: float = 2.0, maps: bool = True
    ) -> None:
        super().__init__()
        points = torch.from_numpy(SIDE + np.array((bias, 0.0))).float()
        self.maps = HeatmapCodec(sigma).encode(points, 32).clamp(min=1e-30).log() if maps else None
        self.points, self.presence = points, presence
        self.weight = nn.Parameter(torch.zeros(1))  # the device of a network is that of its parameters

    def forward(self, crops: Tensor) -> LandmarkOutput:
        count = len(crops)
        maps = None if self.maps is None else self.maps.expand(count, -1, -1, -1)
        return LandmarkOutput(self.points.expand(count, -1, -1), torch.full((count,), self.presence), maps)


@pytest.fixture
def guesses(tmp_path: Path) -> list[tuple[Path, FloatArray]]:
    """Initial points of more faces than fit into one batch."""
    faces = [
        write_face(tmp_path, f"{i:02d}", face_points(width=80.0 + 4 * i, roll=0.02 * i)) for i in range(18)
    ]
    return [(face.image, face.points) for face in faces]


@pytest.mark.parametrize("bias", [0.0, 0.07])
def test_labels_are_in_image_pixels(guesses: list[tuple[Path, FloatArray]], bias: float) -> None:
    """A bias to one side cancels out in the mirrored view."""
    counted = []
    seen = list(label_faces(Teacher(bias=bias), 64, guesses, lambda: counted.append(1)))
    assert [face.image for face in seen] == [path for path, _ in guesses]
    assert len(counted) == len(guesses)
    for face, (_, points) in zip(seen, guesses, strict=True):
        crop = CropTransform.from_points(points, size=64)
        expected = crop.to_frame(from_unit(torch.from_numpy(SIDE), 64).numpy())
        assert face.points == pytest.approx(expected, abs=1e-3)
        assert face.presence == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-6)


def test_spread_is_proportional_to_the_width_of_the_maps(guesses: list[tuple[Path, FloatArray]]) -> None:
    (narrow,), (wide,) = (
        [face.spread_percent for face in label_faces(Teacher(sigma), 64, guesses[:1])] for sigma in (0.8, 1.6)
    )
    assert wide / narrow == pytest.approx(2.0, rel=0.02)
    eyes = np.linalg.norm(SIDE[36] - SIDE[45])
    # Two axes of standard deviation 0.8 cells of 1/32 of the crop's side.
    assert narrow == pytest.approx(100 * np.sqrt(2) * 0.8 / 32 / eyes, rel=0.02)


def test_a_teacher_without_maps_is_refused(guesses: list[tuple[Path, FloatArray]]) -> None:
    with pytest.raises(RunError, match="no maps"):
        list(label_faces(Teacher(maps=False), 64, guesses))


def seen_faces(folder: Path, count: int = 4) -> list[PseudoLabel]:
    faces = [write_face(folder, f"{i}", face_points(width=80.0 + 10 * i)) for i in range(count)]
    return [PseudoLabel(face.image, face.points, 0.9, 3.0 - i / 2) for i, face in enumerate(faces)]


def test_labels_are_read_in_order_of_certainty(tmp_path: Path) -> None:
    seen = seen_faces(tmp_path / "data" / "fairface")
    path = tmp_path / "pseudo.jsonl"
    assert write_labels(seen, tmp_path / "data", path) == 4
    everything = read_labels(path, tmp_path / "data", keep=1.0)
    assert [face.image for face in everything] == [face.image for face in reversed(seen)]
    for face, written in zip(everything, reversed(seen), strict=True):
        assert face.points == pytest.approx(written.points, abs=6e-4)
        assert face.subset == PSEUDO
    assert len(read_labels(path, tmp_path / "data", keep=0.5)) == 2
    assert len(read_labels(path, tmp_path / "data", keep=0.51)) == 3


def test_labels_of_low_presence_are_left_out(tmp_path: Path) -> None:
    sure, doubtful = seen_faces(tmp_path, 2)
    write_labels(
        [sure, PseudoLabel(doubtful.image, doubtful.points, 0.3, 0.1)], tmp_path, tmp_path / "p.jsonl"
    )
    assert [face.image for face in read_labels(tmp_path / "p.jsonl", tmp_path, 1.0)] == [sure.image]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"landmarks": [[0, 0]]}, "landmarks must be 68 points"),
        ({"landmarks": None}, "landmarks must be 68 points"),
        ({"presence": "0.9"}, "presence must be a finite number"),
        ({"spread_percent": float("nan")}, "spread_percent must be a finite number"),
        ({"image": "../secret.png"}, "outside"),
        ({"image": "none.png"}, "is missing"),
        ({"image": 3}, "TypeError"),
    ],
)
def test_other_lines_are_refused_by_file_and_line(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = tmp_path / "p.jsonl"
    write_labels(seen_faces(tmp_path, 1), tmp_path, path)
    good = json.loads(path.read_text())
    path.write_text(json.dumps(good) + "\n" + json.dumps({**good, **change}) + "\n")
    with pytest.raises(DataError, match=rf"p\.jsonl:2: .*({said})"):
        read_labels(path, tmp_path, 1.0)


@pytest.mark.parametrize("text", ["", "[]\n", "{\n", "3\n"])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.jsonl").write_text(text)
    with pytest.raises(DataError, match=r"p\.jsonl"):
        read_labels(tmp_path / "p.jsonl", tmp_path, 1.0)


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written"):
        write_labels([], tmp_path, tmp_path / "nowhere" / "p.jsonl")


@pytest.mark.slow
def test_faces_are_found_where_the_tracker_sees_them(tmp_path: Path) -> None:
    folder = tmp_path / "fairface"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / name), astronaut())
    cv2.imwrite(str(folder / "c.png"), np.full((300, 300, 3), 120, np.uint8))
    guesses = first_guesses(tmp_path)
    assert [path.name for path, _ in guesses] == ["a.png", "b.png"]
    assert guesses[0][1].mean(axis=0) == pytest.approx((186, 135), abs=15)
    assert len(first_guesses(tmp_path, limit=1)) == 1


def test_data_without_faces_to_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither"):
        first_guesses(tmp_path)
