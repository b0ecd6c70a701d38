"""Animated pictures: films where they are named themselves, counted where they are among pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

from tests.batches import LIGHT, LIGHT_ARGUMENTS
from tests.cli import json_lines, run_cli
from tests.media import picture, picture_index
from tracker.runs.batch.job import do_job
from tracker.runs.batch.plan import plan_batch
from tracker.sources.images.frame_count import count_frames
from tracker.sources.images.source import look_for_images
from tracker.sources.left_out import left_out_text
from tracker.sources.opening import PictureSource, open_source

SUFFIXES = (".gif", ".webp", ".png", ".avif")


def _write(path: Path, count: int = 5, **options: Any) -> Path:
    images = [Image.fromarray(np.ascontiguousarray(picture(i)[..., ::-1])) for i in range(count)]
    images[0].save(path, save_all=True, append_images=images[1:], duration=40, **options)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_animation_given_by_name_is_a_film(tmp_path: Path, suffix: str) -> None:
    path = _write(tmp_path / f"a{suffix}")
    assert count_frames(path) == 5
    with open_source(path) as source:
        assert [picture_index(frame.image_bgr) for frame in source] == list(range(5))
    (job,) = plan_batch([path]).jobs
    assert job.kind == "video"
    outcome = do_job(job, tmp_path / "out", LIGHT)
    assert (outcome.frames, outcome.error) == (5, None)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".jpg"])
def test_one_frame_is_a_picture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    assert cv2.imwrite(str(path), picture(1))
    assert count_frames(path) == 1
    with open_source(path) as source:
        assert isinstance(source, PictureSource)
        assert len(list(source)) == 1
    (job,) = plan_batch([path]).jobs
    assert job.kind == "images"


def test_among_pictures_it_is_one_and_its_other_frames_are_counted(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index, suffix in enumerate(SUFFIXES):
        _write(folder / f"{index}{suffix}")
    cv2.imwrite(str(folder / "still.png"), picture(1))
    line = "16 frames of animations left out"
    assert left_out_text(look_for_images(str(folder / "*")).left_out) == line
    assert left_out_text(plan_batch([folder, folder]).left_out) == line
    with open_source(folder) as source:
        assert isinstance(source, PictureSource)
        assert left_out_text(source.left_out) == line
        assert len(list(source)) == 5
    one_less = plan_batch([folder, folder / "0.gif"])  # all frames of that one are tracked
    assert left_out_text(one_less.left_out) == "12 frames of animations left out"
    assert [job.kind for job in one_less.jobs] == ["images", "video"]


def test_the_command_says_it(tmp_path: Path) -> None:
    _write(tmp_path / "a.gif", 2)
    results = tmp_path / "o.jsonl"
    done = run_cli("--images", tmp_path / "a.gif", "--json", results, *LIGHT_ARGUMENTS)
    assert (done.exit_code, done.stderr) == (0, "tracker: 1 frame of an animation left out\n")
    assert len(json_lines(results)) == 1


def test_blocks_of_a_gif_are_told_apart(tmp_path: Path) -> None:
    """A comment full of image separators is no image; local palettes are skipped."""
    path = tmp_path / "a.gif"
    rng = np.random.default_rng(1)
    images = [Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).quantize(64) for _ in range(3)]
    images[0].save(path, save_all=True, append_images=images[1:], comment=600 * b",", optimize=False)
    with Image.open(path) as image:
        assert len(list(ImageSequence.Iterator(image))) == 3
    assert count_frames(path) == 3


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_and_missing_files_count_as_at_least_one(tmp_path: Path, suffix: str) -> None:
    data = _write(tmp_path / f"a{suffix}").read_bytes()
    path = tmp_path / f"cut{suffix}"
    assert count_frames(path) == 1
    for kept in range(0, len(data), max(len(data) // 50, 1)):
        path.write_bytes(data[:kept])
        assert 1 <= count_frames(path) <= 5
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / f"pipe{suffix}")
        assert count_frames(tmp_path / f"pipe{suffix}") == 1
