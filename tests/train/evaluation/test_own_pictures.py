"""Pictures of the user's own: crops are placed as in the model's evaluation, and points come back exactly."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from torch import Tensor

from tests.faces import astronaut
from tests.tiny import blobs, face_points
from tests.train.evaluation.examples import line, write
from tracker.geometry import roll_of
from tracker.types import FaceBox, FloatArray
from train.data.framed import Framing
from train.data.imm import imm_shots, split_people
from train.errors import DataError, RunError
from train.evaluation import own_detector
from train.evaluation.families import FAMILIES
from train.evaluation.imm_set import FRAMING
from train.evaluation.own_pictures import own_pictures, remarks, write_marked

pytest.importorskip("torch")
import torch

from train.models.load import Loaded, load_network

SIZES = [("resnet18", 128), ("unet-light", 96), ("nose-fan", 80), ("face58", 240)]


class Brightest(torch.nn.Module):
    """Network whose one point is the centroid of the light in the picture."""

    def forward(self, pictures: Tensor) -> SimpleNamespace:
        height, width = pictures.shape[-2:]
        light = pictures[:, 0].double().square()
        total = light.sum(dim=(1, 2))
        x = (light.sum(dim=1) * torch.arange(width)).sum(dim=1) / total
        y = (light.sum(dim=2) * torch.arange(height)).sum(dim=1) / total
        # The middle of a 4 to 3 picture is that of the square that it is a part of.
        unit = torch.stack([x - (width - 1) / 2, y - (height - 1) / 2], dim=1) / width
        return SimpleNamespace(points=unit[:, None])


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[FloatArray] | str]:
    """Replace the tracker by one that finds these faces, or has this error, in a picture of each name."""
    found: dict[str, list[FloatArray] | str] = {}

    def track(_folder: Path, model: str, json_path: Path, _images: int | None = None) -> None:
        assert model == "resnet18"
        rows = [
            line(name, error=there) if isinstance(there, str) else line(name, *there)
            for name, there in found.items()
        ]
        write(json_path, *rows)

    monkeypatch.setattr(own_detector, "track_folder", track)
    return found


@pytest.mark.parametrize(("model", "size"), SIZES)
@pytest.mark.parametrize("roll", [0.0, 0.4, -1.5])
@pytest.mark.parametrize("center", [(320.0, 240.0), (150.0, 140.0)])
def test_points_come_back_where_they_are_in_the_picture(
    faces: dict[str, list[FloatArray] | str],
    tmp_path: Path,
    model: str,
    size: int,
    roll: float,
    center: tuple[float, float],
) -> None:
    """Also where the crop reaches over the edge, but not as far as the mirror image of the dot."""
    face = face_points(center, 120, roll)
    dot = face[30:31] + np.array((0.3, -0.4))
    assert cv2.imwrite(str(tmp_path / "a.png"), blobs(dot, 4.0, (480, 640)))
    faces["a.png"] = [face]
    (found,) = own_pictures(tmp_path, model, FAMILIES[model], Loaded(Brightest(), size))["a.png"].faces
    # A tenth of a cell of the smallest crop, 80 px for 3.2 faces of 120 px.
    assert found == pytest.approx(dot, abs=0.5)


@pytest.mark.parametrize("roll", [0.0, 0.7])
@pytest.mark.parametrize(("model", "size"), SIZES[2:])
def test_faces_are_framed_as_in_the_database(model: str, size: int, roll: float) -> None:
    face = face_points((300, 200), 100, roll)
    picture, square = FAMILIES[model].cut(np.zeros((400, 600), np.uint8), face, size)
    assert picture.shape == (size * 3 // 4, size)
    shown = square.to_crop(face)
    assert roll_of(shown) == pytest.approx(0, abs=1e-9)
    box = FaceBox.around(shown)
    assert max(box.width, box.height) == pytest.approx(size / FRAMING.width)
    assert np.array(box.center) - (size - 1) / 2 == pytest.approx(size * np.array(FRAMING.offset))


def test_the_framing_is_that_of_the_database(data_dir: Path) -> None:
    if not (data_dir / "imm_face_db").is_dir():
        pytest.skip(f"no imm_face_db in {data_dir}")
    measured = Framing.of(split_people(imm_shots(data_dir), final=True)[0])
    assert measured.width == pytest.approx(FRAMING.width, abs=0.005)
    assert measured.offset == pytest.approx(FRAMING.offset, abs=0.0005)


def test_every_face_of_a_picture_is_located(faces: dict[str, list[FloatArray] | str], tmp_path: Path) -> None:
    both = [face_points((150, 200), 90), face_points((450, 220), 90)]
    assert cv2.imwrite(str(tmp_path / "a.png"), blobs(np.array([f[30] for f in both]), 3.0, (400, 600)))
    faces["a.png"] = both
    found = own_pictures(tmp_path, "resnet18", FAMILIES["resnet18"], Loaded(Brightest(), 128))["a.png"].faces
    assert [points[0] for points in found] == [pytest.approx(face[30], abs=0.1) for face in both]


def test_pictures_without_faces_are_remarked_on(
    faces: dict[str, list[FloatArray] | str], tmp_path: Path
) -> None:
    assert cv2.imwrite(str(tmp_path / "a.png"), blobs(face_points(), 2.0))
    (tmp_path / "phone.heic").write_bytes(b"the tracker reads it, OpenCV does not")
    faces |= {
        "a.png": [face_points()],
        "b.png": [],
        "c.png": "cannot read c.png",
        "phone.heic": [face_points()],
    }
    for loaded in (None, Loaded(Brightest(), 128)):
        found = own_pictures(tmp_path, "resnet18", FAMILIES["resnet18"], loaded)
        assert remarks(found) == (
            "b.png: no face found",
            "c.png: cannot read c.png",
            "phone.heic: not an image that OpenCV can read",
        )
        (tmp_path / "out").mkdir(exist_ok=True)
        write_marked(tmp_path / "out", tmp_path, found)
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png.png"]


def test_a_folder_without_any_face_is_refused_in_one_line(
    faces: dict[str, list[FloatArray] | str], tmp_path: Path
) -> None:
    faces |= {f"{number}.png": [] for number in range(4)} | {"bad.png": "cannot read bad.png"}
    with pytest.raises(DataError, match=r"shows no face: 0\.png: no face found; .*; and 2 more$") as caught:
        own_pictures(tmp_path, "face58", FAMILIES["face58"], load_network("face58"))
    assert "\n" not in str(caught.value)


def test_points_that_are_not_finite_are_refused(
    faces: dict[str, list[FloatArray] | str], tmp_path: Path
) -> None:
    """Light at no place has no centroid."""
    assert cv2.imwrite(str(tmp_path / "a.png"), np.zeros((240, 320), np.uint8))
    faces["a.png"] = [face_points()]
    with pytest.raises(RunError, match="not finite"):
        own_pictures(tmp_path, "nose-fan", FAMILIES["nose-fan"], Loaded(Brightest(), 80))


@pytest.mark.slow
def test_the_shipped_networks_find_their_points_on_a_portrait(tmp_path: Path) -> None:
    """The tracker itself runs here. Eyes of 58 points are where the tracker's own 68 points have them."""
    assert cv2.imwrite(str(tmp_path / "a.jpg"), astronaut())
    (truth,) = own_detector.tracked(tmp_path, "resnet18")["a.jpg"].faces
    apart = float(np.linalg.norm(truth[36] - truth[45]))
    for model, ours, theirs in (
        ("face58", (slice(21, 29), slice(13, 21)), (slice(36, 42), slice(42, 48))),
        ("unet", (slice(0, 17), slice(60, 68)), (slice(0, 17), slice(60, 68))),
    ):
        (found,) = own_pictures(tmp_path, model, FAMILIES[model], load_network(model))["a.jpg"].faces
        for mine, other in zip(ours, theirs, strict=True):
            between = np.linalg.norm(found[mine].mean(axis=0) - truth[other].mean(axis=0))
            assert between < 0.1 * apart
