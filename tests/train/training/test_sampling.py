import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

import torch
from lightning_fabric import Fabric
from torch.utils.data import DataLoader

from tests.train.training.runs import (
    CONFIG,
    Faces,
    log_of,
    network,
    train,
)
from train.config import Stage
from train.data.dataset import FaceCrops
from train.training.options import RunOptions
from train.training.sampling import StageOrder, stage_batches
from train.training.task import landmark_task


def first_loss(faces: Faces, out: Path, workers: int, start: str) -> str:
    multiprocessing.set_start_method(start, force=True)
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    train(
        network(),
        faces,
        RunOptions(out, workers=workers),
        fabric,
        config=replace(CONFIG, stages=(Stage(32, 1, 1e-2),)),
    )
    return log_of(out)[0]["loss"]


@pytest.mark.slow
def test_workers_do_not_change_the_samples(faces: Faces, tmp_path: Path) -> None:
    first, *others = multiprocessing.get_all_start_methods()
    runs = [(0, first), (1, first), *((1, start) for start in others if start == "spawn")]
    # In a process of its own, since workers are forked and the test process has threads of other libraries.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        losses = {
            pool.submit(first_loss, faces, tmp_path / f"{workers}-{start}", workers, start).result(
                timeout=240
            )
            for workers, start in runs
        }
    assert len(losses) == 1


def test_the_order_of_an_epoch_equals_torchs_own_shuffling() -> None:
    """The shipped weights were trained in that order."""
    generator = torch.Generator().manual_seed(3 * 100_003 + 7)
    shuffled: DataLoader[int] = DataLoader(
        range(50),  # type: ignore[arg-type]  # any sequence will do
        8,
        shuffle=True,
        generator=generator,
        drop_last=True,
    )
    own = StageOrder(range(50), range(7, 8), 48, seed=3)
    assert torch.cat(list(shuffled)).tolist() == [index for _, index in own]


@given(faces=st.integers(1, 40), epochs=st.integers(1, 3), first=st.integers(0, 9), count=st.integers(1, 90))
def test_an_epoch_uses_all_pictures_equally_often(faces: int, epochs: int, first: int, count: int) -> None:
    order = StageOrder(range(100, 100 + faces), range(first, first + epochs), count, seed=1)
    keys = list(order)
    assert len(keys) == len(order) == epochs * count
    for place, epoch in enumerate(range(first, first + epochs)):
        part = keys[place * count : (place + 1) * count]
        assert {key[0] for key in part} == {epoch}
        times = np.bincount([index - 100 for _, index in part], minlength=faces)
        assert times.max() - times.min() <= 1


def test_batches_of_a_stage_are_the_augmented_samples_of_its_epochs(faces: Faces, fabric: Fabric) -> None:
    task, crops = landmark_task(CONFIG, *faces), FaceCrops(faces[0], 64, CONFIG.recipe)
    late = stage_batches(CONFIG, crops, task, 3, fabric, 0)  # the second and last epoch of its stage
    batches = list(late.stream)
    assert len(batches) == late.steps == 2
    order = StageOrder(range(10), range(3, 4), 8, CONFIG.seed)
    expected = torch.stack([crops.at(64, 3)[index][0] for _, index in order])
    assert torch.equal(torch.cat([batch[0] for batch in batches]), expected)
    both = stage_batches(CONFIG, crops, task, 2, fabric, 0)
    assert len(list(both.stream)) == 2 * both.steps


def test_a_set_smaller_than_a_batch_is_one_batch(faces: Faces, fabric: Fabric) -> None:
    few = landmark_task(CONFIG, faces[0][:3], faces[1])
    batches = stage_batches(CONFIG, FaceCrops(faces[0][:3], 32), few, 0, fabric, 0)
    assert batches.steps == 1
    assert len(next(batches.stream)[0]) == 3


def test_a_distributed_run_shuffles_every_epoch_anew_and_splits_it(fabric: Fabric) -> None:
    """Fabric's wrapper reads the order in each of two processes and distributes it in turn."""
    order = StageOrder(range(10), range(2), 10, seed=0)
    loader: DataLoader[int] = DataLoader([0] * len(order), 5, sampler=order)  # type: ignore[arg-type]
    sampler = fabric._get_distributed_sampler  # noqa: SLF001 - Fabric calls it with the real number of processes
    parts = [list(sampler(loader, num_replicas=2, rank=rank)) for rank in range(2)]
    first, second = ([[i for e, i in part if e == epoch] for part in parts] for epoch in range(2))
    assert sorted(first[0] + first[1]) == sorted(second[0] + second[1]) == list(range(10))
    assert first[0] != second[0]
