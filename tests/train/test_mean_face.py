"""The mean face, from faces whose three-dimensional shape is known."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

pytest.importorskip("torch")

from tests.tiny import template, write_300w
from tracker.scheme import MIRROR
from train.cli import app
from train.errors import DataError
from train.mean_face import EYE_TO_EYE_MM, FEWEST, NOSE_TIP, mean_face, weak_pose


def known_face():
    """The flat template, bent round a head: depth grows to the sides, the nose sticks out."""
    flat = template() * 100
    depth = 0.012 * flat[:, 0] ** 2 + 0.004 * (flat[:, 1] - 5) ** 2
    depth[27:36] -= np.array([8, 14, 20, 26, 12, 16, 18, 16, 12])
    return np.column_stack([flat, depth])


def rotation(yaw, pitch, roll):
    """About y, then x, then z: each written out."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def turned_faces(shape, count, seed, noise=0.0):
    rng = np.random.default_rng(seed)
    faces = []
    for _ in range(count):
        angles = rng.normal(0, (0.4, 0.2, 0.3))
        seen = (shape @ rotation(*angles).T)[:, :2] * rng.uniform(0.5, 3) + rng.uniform(0, 300, 2)
        faces.append(seen + rng.normal(0, noise, seen.shape))
    return np.stack(faces)


def aligned(shape, onto):
    """``shape`` after the similarity, without mirroring, that brings it nearest to ``onto`` (Umeyama)."""
    a, b = shape - shape.mean(axis=0), onto - onto.mean(axis=0)
    u, s, v = np.linalg.svd(b.T @ a)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ v))])
    return (a @ (u * sign @ v).T) * (s * sign).sum() / (a**2).sum() + onto.mean(axis=0)


@given(st.integers(0, 50))
def test_a_rigid_face_is_found_exactly(seed):
    known = known_face()
    found = mean_face(turned_faces(known, 60, seed))
    assert np.abs(aligned(found, known) - known).max() < 0.05  # of a face 100 units wide


def test_noise_averages_out():
    known = known_face()
    found = mean_face(turned_faces(known, 800, 0, noise=1.0))
    # 800 faces, mirrored too: a point keeps about 1/40 of its noise, depth some times that.
    assert np.abs(aligned(found, known) - known).max() < 1.0


def test_it_is_symmetric_in_millimetres_and_looks_at_the_viewer():
    face = mean_face(turned_faces(known_face(), 60, 1))
    assert face[NOSE_TIP] == pytest.approx(np.zeros(3), abs=1e-9)
    assert face[MIRROR] * (-1, 1, 1) == pytest.approx(face, abs=1e-9)
    assert np.linalg.norm(face[36] - face[45]) == pytest.approx(EYE_TO_EYE_MM)
    assert face[36, 0] < 0 < face[45, 0]
    assert face[36, 1] < face[48, 1]
    assert face[[36, 45], 2].mean() == pytest.approx(face[[48, 54], 2].mean(), abs=1e-6)
    assert face[36, 2] > 0


def test_the_pose_of_a_known_shape_is_found():
    shape = known_face() - known_face().mean(axis=0)
    turn = rotation(0.5, -0.2, 0.4)
    scales, turns = weak_pose(shape, 2.5 * (shape @ turn.T)[None, :, :2])
    assert scales == pytest.approx([2.5])
    assert turns[0] == pytest.approx(turn[:2], abs=1e-9)


def test_too_few_faces_and_faces_of_one_pose_are_refused():
    known = known_face()
    with pytest.raises(DataError, match=f"at least {FEWEST} faces, got 3"):
        mean_face(turned_faces(known, 3, 0))
    flat = np.repeat(known[None, :, :2], FEWEST, axis=0)
    with pytest.raises(DataError, match="do not turn enough"):
        mean_face(flat)


def test_flat_faces_are_refused(tmp_path):
    write_300w(tmp_path)
    out = tmp_path / "f.json"
    result = CliRunner().invoke(app, ["mean-face", "--data", str(tmp_path), "--out", str(out)])
    assert isinstance(result.exception, DataError)  # drawn faces are flat
    assert not out.exists()


def test_the_command_writes_68_points_a_line_each(tmp_path, monkeypatch):
    faces = [SimpleNamespace(points=points) for points in turned_faces(known_face(), 60, 0)]
    monkeypatch.setattr("train.data.splits.training_faces", lambda _: (faces, []))
    out = tmp_path / "f.json"
    result = CliRunner().invoke(app, ["mean-face", "--data", str(tmp_path), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert np.shape(json.loads(out.read_text())) == (68, 3)
    assert len(out.read_text().splitlines()) == 70
