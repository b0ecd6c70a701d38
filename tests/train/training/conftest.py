"""Faces and runs that the tests of the training loop share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.tiny import face_points, write_face

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from tests.train.training.runs import Faces, WholeRun


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Let torch use one thread, so that results do not depend on the machine."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="package")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Faces:
    """Ten training faces and two for validation."""
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(1)
    written = []
    for i in range(12):
        x, y = rng.uniform((140, 100), (180, 140))
        points = face_points((float(x), float(y)), 110, 0.1 * i - 0.5)
        written.append(replace(write_face(folder, f"f{i:02d}", points), subset="afw"))
    return written[:10], written[10:]


@pytest.fixture
def fabric() -> Fabric:
    """One CPU in float32."""
    from lightning_fabric import Fabric

    return Fabric(accelerator="cpu", devices=1, precision="32-true")


@pytest.fixture(scope="package")
def whole_run(faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """Folder and model of a run that was not interrupted; read it, never change it."""
    from lightning_fabric import Fabric

    from tests.train.training.runs import network, train
    from train.training.options import RunOptions

    out = tmp_path_factory.mktemp("whole")
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    return out, train(network(), faces, RunOptions(out), fabric)
