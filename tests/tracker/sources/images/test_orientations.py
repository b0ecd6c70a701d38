"""All eight orientations in every format that can state one, against the upright original."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
import pytest
from PIL import Image

from tests.media import exif_block
from tests.portraits import MATRICES, portrait, stored
from tracker.errors import SourceError
from tracker.sources.images.read import read_image

_EXIF_ORIENTATION = 0x0112
CODEC_LOSS = 2.0  # mean difference in grey levels; a picture the wrong way round is off by 40 and more
LOSSLESS = 0.0

pillow_heif.register_heif_opener()


def _save(path: Path, orientation: int, **options: Any) -> Path:
    """Save the portrait, stored in ``orientation``, with Pillow, which knows each format's way to say so."""
    image = Image.fromarray(np.ascontiguousarray(stored(portrait(), orientation)[..., ::-1]))
    exif = image.getexif()
    exif[_EXIF_ORIENTATION] = orientation
    image.save(path, exif=exif if path.suffix == ".tiff" else exif.tobytes(), **options)
    return path


def _difference(path: Path) -> float:
    image = read_image(path)
    assert image.shape == portrait().shape
    assert image.flags.c_contiguous
    return float(np.abs(image.astype(int) - portrait()).mean())


@pytest.mark.parametrize("orientation", MATRICES)
@pytest.mark.parametrize(
    ("name", "options", "loss"),
    [
        ("a.jpg", {"quality": 100, "subsampling": 0}, CODEC_LOSS),
        ("a.jfif", {"quality": 100, "subsampling": 0, "format": "JPEG"}, CODEC_LOSS),
        ("a.png", {}, LOSSLESS),
        ("a.webp", {"lossless": True}, LOSSLESS),
        ("a.tiff", {}, LOSSLESS),
        ("a.tiff", {"compression": "tiff_lzw"}, LOSSLESS),
        ("a.avif", {"quality": 95, "subsampling": "4:4:4"}, CODEC_LOSS),
        ("a.heic", {"quality": 95}, CODEC_LOSS),
        ("a.hif", {"quality": 95, "format": "HEIF"}, CODEC_LOSS),
    ],
)
def test_the_picture_is_upright(
    tmp_path: Path, name: str, options: dict[str, Any], loss: float, orientation: int
) -> None:
    assert _difference(_save(tmp_path / name, orientation, **options)) <= loss


@pytest.mark.parametrize("orientation", MATRICES)
def test_a_tiff_of_16_bits_is_upright(tmp_path: Path, orientation: int) -> None:
    grey = portrait()[..., 1]
    image = Image.fromarray(stored(grey, orientation).astype(np.uint16) * 257)
    image.save(tmp_path / "a.tiff", tiffinfo={_EXIF_ORIENTATION: orientation})
    np.testing.assert_array_equal(read_image(tmp_path / "a.tiff")[..., 0], grey)


def test_exif_in_an_avif_does_not_turn_it(tmp_path: Path) -> None:
    """The container states the orientation; a reader that applied EXIF as well would turn twice."""
    block = np.frombuffer(exif_block(6), np.uint8)[None]
    quality = [cv2.IMWRITE_AVIF_QUALITY, 95]
    written, data = cv2.imencodeWithMetadata(".avif", portrait(), [cv2.IMAGE_METADATA_EXIF], [block], quality)
    assert written
    file = bytearray(data.tobytes())
    file[file.index(b"irot") + 4] = 0  # libavif states the orientation there, too
    (tmp_path / "a.avif").write_bytes(file)
    assert _difference(tmp_path / "a.avif") < CODEC_LOSS


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_an_avif_of_any_depth_is_as_bright_as_its_original(tmp_path: Path, bits: int) -> None:
    levels: npt.NDArray[Any] = np.round(portrait() / 255.0 * ((1 << bits) - 1)).astype(
        np.uint8 if bits == 8 else np.uint16
    )
    options = [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 95]
    (tmp_path / "a.avif").write_bytes(cv2.imencode(".avif", levels, options)[1].tobytes())
    assert _difference(tmp_path / "a.avif") < CODEC_LOSS


def test_a_heic_of_10_bits_is_as_bright_as_its_original(tmp_path: Path) -> None:
    rgb = portrait()[..., ::-1].astype(np.uint16) * 257
    image = pillow_heif.from_bytes("RGB;16", rgb.shape[1::-1], rgb.tobytes())
    image.save(tmp_path / "a.heic", quality=95)
    assert _difference(tmp_path / "a.heic") < CODEC_LOSS


def test_a_heic_with_alpha_lies_over_white(tmp_path: Path) -> None:
    alpha = np.zeros(portrait().shape[:2], np.uint8)
    alpha[:128] = 255
    rgba = np.dstack([portrait()[..., ::-1], alpha])
    Image.fromarray(rgba).save(tmp_path / "a.heic", quality=95)
    image = read_image(tmp_path / "a.heic")
    assert np.abs(image[:128].astype(int) - portrait()[:128]).mean() < CODEC_LOSS
    assert image[136:].mean() > 250


def test_a_grey_heic_becomes_bgr(tmp_path: Path) -> None:
    grey = portrait()[..., 1]
    Image.fromarray(grey).save(tmp_path / "a.heic", quality=95)
    image: npt.NDArray[np.uint8] = read_image(tmp_path / "a.heic")
    assert np.abs(image.astype(int) - grey[..., None]).mean() < CODEC_LOSS


def test_without_pillow_heif_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _save(tmp_path / "a.heic", 1)
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    with pytest.raises(SourceError, match=r"HEIC needs pillow-heif .*: pip install 'tracker68\[heic\]'"):
        read_image(path)


@pytest.mark.parametrize("name", ["a.avif", "a.heic"])
@pytest.mark.parametrize("kept", [0.02, 0.05, 0.1, 0.5, 0.9])
def test_a_container_that_is_cut_off_is_an_error_of_one_line(
    tmp_path: Path, name: str, kept: float, capfd: pytest.CaptureFixture[str]
) -> None:
    data = _save(tmp_path / name, 6).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(SourceError, match="not an image, or damaged"):
        read_image(tmp_path / name)
    assert capfd.readouterr().err == ""
