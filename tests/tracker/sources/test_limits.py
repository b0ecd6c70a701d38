from __future__ import annotations

from pathlib import Path

import pytest

from tracker.errors import SourceError
from tracker.sources import limits

PATH = Path("a.png")


@pytest.mark.parametrize("size", [(limits.MAX_SIDE, 3000), (16320, 12240), (1, 1)])
def test_sizes_up_to_the_limits_are_accepted(size: tuple[int, int]) -> None:
    limits.check_size(PATH, *size)


@pytest.mark.parametrize("size", [(limits.MAX_SIDE + 1, 1), (1, limits.MAX_SIDE + 1), (20_000, 10_001)])
def test_larger_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(SourceError, match=rf"a\.png claims pictures of {size[0]}x{size[1]}"):
        limits.check_size(PATH, *size)


def test_a_video_may_have_the_maximum_of_frames_only() -> None:
    limits.check_count(PATH, limits.MAX_FRAMES - 1)
    with pytest.raises(SourceError, match="goes on after"):
        limits.check_count(PATH, limits.MAX_FRAMES)
