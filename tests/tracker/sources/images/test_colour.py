"""Pictures in HDR, which AVIF and HEIC may hold, against the portrait that they were made of."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest

from tests.portraits import as_hdr, portrait
from tracker.sources.images.read import read_image

_TRANSFERS = {"pq": 16, "hlg": 18}
CODEC_LOSS = 4.0  # mean difference in grey levels: the chroma has half the size


def _tagged(data: bytes, transfer: str) -> bytes:
    """Return the container with the primaries of BT.2020 and the ``transfer`` in its only ``nclx``."""
    at = data.index(b"nclx") + 4
    return data[:at] + struct.pack(">HH", 9, _TRANSFERS[transfer]) + data[at + 4 :]


@pytest.mark.parametrize("transfer", _TRANSFERS)
@pytest.mark.parametrize("name", ["a.avif", "a.heic"])
def test_hdr_comes_out_as_the_portrait(tmp_path: Path, name: str, transfer: str) -> None:
    hdr = as_hdr(portrait(), transfer)
    path = tmp_path / name
    if name == "a.avif":
        options = [cv2.IMWRITE_AVIF_DEPTH, 10, cv2.IMWRITE_AVIF_QUALITY, 98]
        data = cv2.imencode(".avif", hdr >> 6, options)[1].tobytes()
    else:
        rgb = np.ascontiguousarray(hdr[..., ::-1])
        pillow_heif.from_bytes("RGB;16", rgb.shape[1::-1], rgb.tobytes()).save(path, quality=98)
        data = path.read_bytes()
    path.write_bytes(_tagged(data, transfer))
    plain = portrait().max(axis=2) <= 232  # above, tone mapping compresses
    error = read_image(path)[plain].astype(float) - portrait()[plain]
    assert np.abs(error).mean() < CODEC_LOSS
    assert np.abs(error.mean(axis=0)).max() < 1.5
