"""Landmark scheme: parts, mirror order, edges and mesh of the 68 points."""

from __future__ import annotations

import numpy as np

from tests.tiny import template
from tracker.scheme.ibug68 import CLOSED_PARTS, EDGES, MESH, MIRROR, OUTER_EYE_CORNERS, PARTS


def test_parts_hold_each_of_the_68_points_once() -> None:
    assert sorted(point for part in PARTS.values() for point in part) == list(range(68))


def test_mirror_is_an_involution_that_maps_parts_to_parts() -> None:
    assert np.array_equal(MIRROR[MIRROR], np.arange(68))
    parts = {frozenset(part) for part in PARTS.values()}
    assert {frozenset(MIRROR[list(part)].tolist()) for part in PARTS.values()} == parts
    assert frozenset(MIRROR[list(PARTS["left_eye"])].tolist()) == frozenset(PARTS["right_eye"])


def test_mirror_of_a_symmetric_face_is_that_face() -> None:
    points = template()
    assert np.abs(points[MIRROR] * (-1, 1) - points).max() < 1e-12


def test_the_mirror_order_is_read_only() -> None:
    assert not MIRROR.flags.writeable


def test_edges_join_neighbours_within_a_part_and_close_eyes_and_lips() -> None:
    part_of = {point: name for name, part in PARTS.items() for point in part}
    assert all(part_of[a] == part_of[b] for a, b in EDGES)
    for name, part in PARTS.items():
        edges = [edge for edge in EDGES if part_of[edge[0]] == name]
        assert len(edges) == len(part) - (name not in CLOSED_PARTS)
        ends = {b for _, b in edges} - {a for a, _ in edges}
        assert ends == (set() if name in CLOSED_PARTS else {part[-1]})


def test_the_mirror_maps_edges_to_edges() -> None:
    assert {frozenset(MIRROR[list(edge)].tolist()) for edge in EDGES} == {frozenset(edge) for edge in EDGES}


def test_outer_eye_corners_are_the_outermost_points_of_the_eyes() -> None:
    points = template()
    eyes = [*PARTS["left_eye"], *PARTS["right_eye"]]
    assert OUTER_EYE_CORNERS[0] == min(eyes, key=lambda i: points[i, 0])
    assert OUTER_EYE_CORNERS[1] == max(eyes, key=lambda i: points[i, 0])


def test_the_mirror_maps_the_mesh_to_itself_and_the_mesh_includes_the_edges() -> None:
    mesh = {frozenset(edge) for edge in MESH}
    assert len(mesh) == len(MESH)
    assert {frozenset(MIRROR[list(edge)].tolist()) for edge in MESH} == mesh
    assert {frozenset(edge) for edge in EDGES} <= mesh


def test_the_mesh_consists_of_triangles_except_at_eyes_and_mouth() -> None:
    # Euler's formula for a flat mesh with three holes: points - edges + triangles = 1 - 3. Edges at the rim
    # bound one triangle, the others two; the rim runs round jaw and brows, both eyes and the inner lips.
    neighbours = [{b for edge in MESH for b in edge if point in edge} - {point} for point in range(68)]
    triangles = sum(len(neighbours[a] & neighbours[b]) for a, b in MESH) // 3
    holes = [PARTS["left_eye"], PARTS["right_eye"], PARTS["inner_lip"]]
    outline = 17 + 10
    rim = outline + sum(len(hole) for hole in holes)
    assert 68 - len(MESH) + (2 * len(MESH) - rim) / 3 == 1 - 3
    assert triangles == (2 * len(MESH) - rim) / 3
