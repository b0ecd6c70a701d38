from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.media import picture, picture_index
from tracker.errors import SourceError
from tracker.sources.images import animation
from tracker.sources.images.animation import AnimationSource, is_animation
from tracker.sources.opening import open_film
from tracker.sources.trim import Trim

_DURATIONS_MS = [40, 40, 120, 1000, 40, 80, 40, 40]
_STARTS_S = np.cumsum([0, *_DURATIONS_MS[:-1]]) / 1000


def _write(path: Path, mode: str = "RGB", **options: Any) -> Path:
    images = [Image.fromarray(np.ascontiguousarray(picture(i)[..., ::-1])).convert(mode) for i in range(8)]
    images[0].save(path, save_all=True, append_images=images[1:], duration=_DURATIONS_MS, **options)
    return path


@pytest.mark.parametrize("chunk_bytes", [1, 40_000, 1 << 28])
@pytest.mark.parametrize("lossless", [False, True])
def test_every_frame_comes_at_its_time_undamaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lossless: bool, chunk_bytes: int
) -> None:
    monkeypatch.setattr(animation, "_CHUNK_BYTES", chunk_bytes)
    with open_film(_write(tmp_path / "a.webp", lossless=lossless)) as film:
        assert isinstance(film, AnimationSource)
        assert (film.size, film.frame_count, film.is_steady) == ((64, 48), 8, False)
        assert film.end_s == sum(_DURATIONS_MS) / 1000
        frames = list(film)
        assert film.exhausted
    assert [picture_index(frame.image_bgr) for frame in frames] == list(range(8))
    np.testing.assert_allclose([frame.time_s for frame in frames], _STARTS_S)
    assert all(frame.damage is None for frame in frames)
    if lossless:
        np.testing.assert_array_equal(frames[5].image_bgr, picture(5))


def test_transparent_pixels_lie_over_white(tmp_path: Path) -> None:
    clear, solid = Image.new("RGBA", (16, 16), (9, 9, 9, 0)), Image.new("RGBA", (16, 16), (30, 60, 90, 255))
    clear.save(tmp_path / "a.webp", save_all=True, append_images=[solid], duration=40, lossless=True)
    with open_film(tmp_path / "a.webp") as film:
        first, second = list(film)
    assert first.image_bgr[4, 4].tolist() == [255, 255, 255]
    assert second.image_bgr[4, 4].tolist() == [90, 60, 30]


def test_a_part_is_selected(tmp_path: Path) -> None:
    with open_film(_write(tmp_path / "a.webp"), Trim(0.1, 1.0)) as film:
        assert [picture_index(frame.image_bgr) for frame in film] == [3]


def test_only_an_animated_webp_is_one(tmp_path: Path) -> None:
    Image.fromarray(picture(1)).save(tmp_path / "still.webp")
    (tmp_path / "empty.webp").touch()
    names = ("still.webp", "empty.webp", "missing.webp")
    assert not any(is_animation(tmp_path / name) for name in names)
    assert is_animation(_write(tmp_path / "a.webp"))


@pytest.mark.parametrize("kept", [21, 60, 500])
def test_a_damaged_file_is_an_error_of_one_line(
    tmp_path: Path, kept: int, capfd: pytest.CaptureFixture[str]
) -> None:
    path = _write(tmp_path / "a.webp")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(SourceError, match="no frame can be decoded; damaged"), AnimationSource(path) as film:
        list(film)
    assert capfd.readouterr().err == ""
