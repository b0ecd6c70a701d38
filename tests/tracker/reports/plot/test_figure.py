"""Drawing of a timeline: any results are drawn, and the same results always alike."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from tests.timelines import video_timeline
from tracker.reports.plot.timeline import timeline
from tracker.sinks.json_lines import FaceLine, ResultLine

pytest.importorskip("matplotlib")
from tracker.drawing.theme import PRINTED_COLORS
from tracker.reports.plot.figure import colour_of, draw_timeline


def png_size(data: bytes) -> tuple[int, int]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.shape[1], image.shape[0]


@pytest.mark.slow
@pytest.mark.parametrize("people", [0, 2, 30])
def test_any_number_of_faces_is_drawn(people: int) -> None:
    width, height = png_size(draw_timeline(video_timeline(people=people), "png"))
    assert width == 1560
    assert 200 < height < 4000


def test_the_same_results_give_the_same_bytes() -> None:
    first, second = (draw_timeline(video_timeline(people=3), "svg") for _ in range(2))
    assert first == second
    assert b"<svg" in first


_numbers = st.sampled_from((0.0, 0.3, 5.0, 1e9)) | st.none()
_angles = st.sampled_from((-180.0, -3.0, 0.0, 90.0)) | st.none()
_faces = st.builds(
    FaceLine,
    id=st.sampled_from((1, 2, 3, 900)),
    score=st.sampled_from((0.0, 1.0)),
    quality=st.sampled_from((None, 0.5)),
    eye_left=_numbers,
    eye_right=_numbers,
    mouth=_numbers,
    yaw_deg=_angles,
    pitch_deg=_angles,
    roll_deg=_angles,
    blinks=st.integers(0, 3),
)
_lines = st.lists(
    st.lists(_faces, max_size=3, unique_by=lambda found: found.id) | st.none(), min_size=1, max_size=6
)


@pytest.mark.slow
@settings(max_examples=6, phases=[Phase.explicit, Phase.generate])
@example(seen=[None, None], step_s=0.0, name="")
@given(seen=_lines, step_s=st.sampled_from((0.0, 0.04, 1e7)), name=st.text(max_size=6))
def test_any_results_can_be_drawn(seen: list[list[FaceLine] | None], step_s: float, name: str) -> None:
    some = [
        ResultLine(name, i, step_s * i, tuple(found or ()), None if found is not None else "no")
        for i, found in enumerate(seen)
    ]
    assert draw_timeline(timeline(some, "o"), "png").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "name", ["$x_{1$ \\frac.mp4", "a\x1b[2J\n.mp4", "東京 \U0001f600.mp4", "\udcff.mp4", "x" * 5000]
)
def test_any_name_can_be_a_title(name: str) -> None:
    line = video_timeline(3, source=name)
    assert png_size(draw_timeline(line, "png"))[0] == 1560


def test_neighbouring_ids_have_different_colours() -> None:
    assert [colour_of(number) for number in range(1, len(PRINTED_COLORS) + 1)] == list(PRINTED_COLORS)
    assert colour_of(len(PRINTED_COLORS) + 1) == colour_of(1)
