from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from tests.torture import UNDAMAGED, Recipe
from tests.video_copy import copy_video, duration_s, read_video, sound_codecs, sound_samples
from tracker.errors import SinkError
from tracker.sinks.video.formats import SUFFIXES, format_of, holds_sound

EXACT = (".mp4", ".m4v", ".mov")
RECIPES = {
    recipe.name: replace(recipe, size=(96, 64))
    for recipe in UNDAMAGED
    if recipe.name in ("two_sounds.mkv", "variable.mp4", "turned_90.mp4")
}
CODECS = {".webm": "vp9", ".gif": "gif"}


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Clips with two sound tracks, a variable frame rate and a rotation."""
    folder = tmp_path_factory.mktemp("formats")
    return {name: recipe.write(folder) for name, recipe in RECIPES.items()}


def pitch_hz(path: Path, track: int) -> float:
    """Return the strongest frequency of a sound track."""
    samples, rate = sound_samples(path, track)
    return float(np.abs(np.fft.rfft(samples[2000:])).argmax() * rate / len(samples[2000:]))


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_format_keeps_frames_timestamps_and_sound(
    tmp_path: Path, inputs: dict[str, Path], recipe: Recipe, suffix: str
) -> None:
    clip, out = inputs[recipe.name], tmp_path / f"out{suffix}"
    if suffix == ".avi" and recipe.name == "variable.mp4":
        with pytest.raises(SinkError, match="one frame rate"):
            copy_video(clip, out)
        return
    times = copy_video(clip, out)
    got, indices = read_video(out)
    tick = 0.0 if suffix in EXACT else 0.02 if suffix == ".gif" else 0.001
    np.testing.assert_allclose(got, times, atol=0.51 * tick + 1e-9)
    with av.open(str(out)) as container:
        track = container.streams.video[0]
        assert track.codec_context.name == CODECS.get(suffix, "h264")
        size = (track.width, track.height)
    if recipe.rotation:
        assert size == recipe.size[::-1]
    else:
        assert indices == list(range(len(times)))
    n_sounds = 0 if suffix == ".gif" else len(recipe.audio)
    assert len(sound_codecs(out)) == n_sounds
    assert [pitch_hz(out, i) for i in range(n_sounds)] == pytest.approx([440, 880][:n_sounds], abs=25)
    assert duration_s(out) == pytest.approx(duration_s(clip), abs=0.12)


def test_an_unknown_suffix_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SinkError, match=r"\.avi, \.gif"):
        format_of(Path("o.ogv"), None)


def test_avi_is_refused_for_a_camera() -> None:
    with pytest.raises(SinkError, match="one frame rate"):
        format_of(Path("o.avi"), None)


def test_only_known_video_formats_except_gif_hold_sound() -> None:
    assert {suffix for suffix in SUFFIXES if holds_sound(Path(f"o{suffix}"))} == SUFFIXES - {".gif"}
    assert not holds_sound(Path("o_%d.png"))
