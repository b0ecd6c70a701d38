import csv
import errno
import math
import multiprocessing
import struct
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
lightning_fabric = pytest.importorskip("lightning_fabric")

from tensorboardX.proto import event_pb2  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from tests.tiny import face_points, write_face  # noqa: E402
from train.config import Stage, TrainConfig  # noqa: E402
from train.data.augment import GeometryPolicy, PhotometricPolicy  # noqa: E402
from train.data.dataset import FaceCrops, SampleRecipe  # noqa: E402
from train.errors import DataError, RunError  # noqa: E402
from train.models.output import LandmarkOutput  # noqa: E402
from train.training import loop  # noqa: E402
from train.training.checkpoint import LAST  # noqa: E402
from train.training.loop import EVENTS, LOG, moving_average  # noqa: E402
from train.training.sampling import StageOrder, stage_batches  # noqa: E402
from train.training.task import landmark_task  # noqa: E402

CONFIG = TrainConfig(
    model="tiny",
    stages=(Stage(32, 2, 1e-2), Stage(64, 2, 5e-3)),
    batch_size=4,
    ema_decay=0.5,
    precision="32-true",
)


class TinyNetwork(nn.Module):
    """Stands in for a ResNet: batch statistics, any crop size, the same output."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(8)
        )
        self.head = nn.Linear(4 * 64, 137)

    def forward(self, crop):
        out = self.head(self.stem(crop.float() / 64 - 2).flatten(1))
        return LandmarkOutput(out[:, :-1].reshape(-1, 68, 2), out[:, -1])


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(1)
    made = [
        write_face(
            folder, f"f{i:02d}", face_points(tuple(rng.uniform((140, 100), (180, 140))), 110, 0.1 * i - 0.5)
        )
        for i in range(12)
    ]
    made = [replace(face, subset="afw") for face in made]
    return made[:10], made[10:]


@pytest.fixture
def fabric():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield lightning_fabric.Fabric(accelerator="cpu", devices=1, precision="32-true")
    torch.set_num_threads(threads)


def network():
    torch.manual_seed(7)
    return TinyNetwork()


def log_of(folder):
    with (folder / LOG).open(newline="") as file:
        return list(csv.DictReader(file))


def same_weights(a, b):
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def train(config, model, faces, *more, loss=None, **options):
    task = landmark_task(config, *faces)
    return loop.train(config, model, replace(task, loss=loss or task.loss), *more, **options)


class StopsAt:
    """The loss of the recipe, until ``step``: then what a user, a kernel or a bug would do."""

    def __init__(self, step, error) -> None:
        self.step, self.error, self.real = step, error, CONFIG.loss

    def __call__(self, *args):
        self.step -= 1
        if self.step < 0:
            raise self.error
        return self.real(*args)


@pytest.fixture(scope="module")
def whole_run(faces, tmp_path_factory: pytest.TempPathFactory):
    """Folder and model of a run that nobody stopped."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("whole")
    fabric = lightning_fabric.Fabric(accelerator="cpu", devices=1, precision="32-true")
    return out, train(CONFIG, network(), faces, out, fabric)


def test_the_log_has_a_line_for_each_epoch(whole_run) -> None:
    rows = log_of(whole_run[0])
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["size"] for row in rows] == ["32", "32", "64", "64"]
    assert all(math.isfinite(float(value)) for row in rows for value in row.values())
    elapsed = [float(row["elapsed_s"]) for row in rows]
    assert elapsed == sorted(elapsed)


def test_tensorboard_gets_the_numbers_of_the_log(whole_run) -> None:
    """Read back by an independent reader of the record format (length, CRC, payload, CRC)."""
    data = b"".join(path.read_bytes() for path in sorted((whole_run[0] / EVENTS).iterdir()))
    losses = {}
    while data:
        (length,) = struct.unpack_from("<Q", data)
        event, data = event_pb2.Event.FromString(data[12 : 12 + length]), data[16 + length :]
        for value in event.summary.value:
            if value.tag == "loss":
                losses[event.step] = value.simple_value
    logged = {int(row["epoch"]): float(row["loss"]) for row in log_of(whole_run[0])}
    assert losses == pytest.approx(logged, rel=1e-5)


@pytest.mark.parametrize("step", [1, 3, 5, 7])
def test_a_stopped_and_resumed_run_ends_with_the_very_same_weights(
    faces, whole_run, fabric, tmp_path: Path, step
) -> None:
    """Two steps an epoch: it stops within each of the four epochs, before and after a change of stage."""
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, network(), faces, tmp_path, fabric, loss=StopsAt(step, KeyboardInterrupt()))
    assert (tmp_path / LAST).exists() == (step > 1)
    model = train(CONFIG, network(), faces, tmp_path, fabric, resume=True)
    assert same_weights(model, whole_run[1])
    assert [row["loss"] for row in log_of(tmp_path)] == [row["loss"] for row in log_of(whole_run[0])]


def test_resuming_a_complete_run_only_returns_its_model(
    faces, whole_run, fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.training.task.FaceCrops", None)  # no image is read again
    out, first = whole_run
    before = (out / LAST).read_bytes(), (out / LOG).read_bytes()
    assert same_weights(train(CONFIG, network(), faces, out, fabric, resume=True), first)
    assert ((out / LAST).read_bytes(), (out / LOG).read_bytes()) == before


def test_the_returned_model_is_the_average_and_evaluates(whole_run) -> None:
    out, model = whole_run
    state = torch.load(out / LAST, weights_only=True)
    assert not model.training
    assert torch.equal(model.head.weight, state["averaged"]["module.head.weight"])
    assert not torch.equal(model.head.weight, state["model"]["head.weight"])


@pytest.mark.parametrize("decay", [0.5, 0.998])
def test_the_average_forgets_its_start_at_once_and_settles_at_its_decay(decay) -> None:
    average, kept = moving_average(decay), [torch.tensor(1.0)]
    for updates in range(1, 2000):  # all weights are 0 after the first: what is left is the start's share
        average(kept, [torch.tensor(0.0)], updates)
        if updates == 100:
            assert kept[0] < 1e-6
    settled = [torch.tensor(1.0)]
    average(settled, [torch.tensor(0.0)], 10**6)
    assert settled[0] == pytest.approx(decay)


def test_the_average_of_equal_weights_is_that_weight_and_counters_are_copied() -> None:
    average, weight, counter = moving_average(0.9), [torch.tensor(3.5)], [torch.tensor(7)]
    average(weight, [torch.tensor(3.5)], 5)
    average(counter, [torch.tensor(12)], 5)
    assert (weight[0], counter[0]) == (3.5, 12)


def first_loss(faces, out, workers):
    fabric = lightning_fabric.Fabric(accelerator="cpu", devices=1, precision="32-true")
    train(replace(CONFIG, stages=(Stage(32, 1, 1e-2),)), network(), faces, out, fabric, workers=workers)
    return log_of(out)[0]["loss"]


def test_workers_change_nothing(faces, tmp_path: Path) -> None:
    # In a process of its own: workers are forked, and the tests' process is full of runtimes' threads.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        losses = [pool.submit(first_loss, faces, tmp_path / str(n), n).result(timeout=120) for n in (0, 1)]
    assert losses[0] == losses[1]


def test_a_run_that_is_there_is_not_overwritten(faces, whole_run, fabric) -> None:
    with pytest.raises(RunError, match="--resume"):
        train(CONFIG, network(), faces, whole_run[0], fabric)


def test_a_checkpoint_of_another_configuration_is_refused(faces, whole_run, fabric) -> None:
    other = replace(CONFIG, weight_decay=0.5)
    with pytest.raises(RunError, match="another configuration"):
        train(other, network(), faces, whole_run[0], fabric, resume=True)


def test_a_checkpoint_of_other_pictures_is_refused(faces, whole_run, fabric) -> None:
    """Also when one only changed sides: what validated would be trained on."""
    for other in ((faces[0][:9], faces[1]), (faces[0] + faces[1][:1], faces[1][1:])):
        with pytest.raises(RunError, match="other pictures"):
            train(CONFIG, network(), other, whole_run[0], fabric, resume=True)


def test_where_the_first_weights_came_from_does_not_matter_any_more(faces, whole_run, fabric) -> None:
    moved = replace(CONFIG, init="elsewhere/first.onnx")
    assert same_weights(train(moved, network(), faces, whole_run[0], fabric, resume=True), whole_run[1])


def test_logs_of_a_run_that_was_given_up_do_not_go_on(faces, fabric, tmp_path: Path) -> None:
    config = replace(CONFIG, stages=(Stage(32, 1, 1e-2),))
    train(config, network(), faces, tmp_path, fabric)
    (tmp_path / LAST).unlink()
    train(config, network(), faces, tmp_path, fabric)
    assert [row["epoch"] for row in log_of(tmp_path)] == ["1"]
    assert len(list((tmp_path / EVENTS).iterdir())) == 1


def test_a_stage_trains_on_its_sets_only(faces) -> None:
    mixed = [replace(face, subset=name) for face, name in zip(faces[0], ["afw", "helen"] * 5, strict=True)]
    stages = (Stage(32, 1, 1e-2, sets=("helen",)), Stage(32, 1, 1e-2))
    task = landmark_task(replace(CONFIG, stages=stages), mixed, faces[1])
    assert list(task.indices(stages[0])) == [1, 3, 5, 7, 9]
    assert list(task.indices(stages[1])) == list(range(10))


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (Stage(32, 1, 1e-2, sets=("hellen",)), "hellen.*known sets are afw"),
        (Stage(80, 1, 1e-2), "multiples of 32"),
    ],
)
def test_a_stage_that_cannot_run_is_refused_before_training(faces, stage, expected) -> None:
    with pytest.raises((DataError, RunError), match=expected):
        landmark_task(replace(CONFIG, stages=(CONFIG.stages[0], stage)), *faces)


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "text", "other"])
def test_a_damaged_checkpoint_is_refused_in_one_line(
    faces, whole_run, fabric, tmp_path: Path, damage
) -> None:
    good, bad = (whole_run[0] / LAST).read_bytes(), tmp_path / LAST
    contents = {
        "empty": b"",
        "cut": good[: len(good) * 2 // 3],
        "noise": np.random.default_rng(0).bytes(999),
        "text": b"epoch 3\n",
    }
    if damage == "other":
        torch.save({"epoch": 3}, bad)
    else:
        bad.write_bytes(contents[damage])
    with pytest.raises(RunError, match=LAST) as caught:
        train(CONFIG, network(), faces, tmp_path, fabric, resume=True)
    assert "\n" not in str(caught.value)


@pytest.fixture
def disk_for_64_kb():
    """No file may grow past 64 kB: a checkpoint breaks off in the middle as on a full disk."""
    resource = pytest.importorskip("resource", reason="this system cannot limit files")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("disk_for_64_kb")
def test_a_checkpoint_that_does_not_fit_is_one_line_and_leaves_no_part(faces, fabric, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"last\.ckpt cannot be written.*--resume") as caught:
        train(CONFIG, network(), faces, tmp_path, fabric)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_checkpoint_before_survives_a_full_disk(
    faces, whole_run, fabric, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves = []
    real = fabric.save

    def save(path, state) -> None:
        saves.append(path)
        if len(saves) == 3:
            path.write_bytes(b"half a checkpoint")
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, state)

    with monkeypatch.context() as patch:
        patch.setattr(fabric, "save", save)
        with pytest.raises(RunError, match="No space left"):
            train(CONFIG, network(), faces, tmp_path, fabric)
    assert sorted(path.name for path in tmp_path.iterdir()) == [LAST, LOG, EVENTS]
    assert torch.load(tmp_path / LAST, weights_only=True)["epoch"] == 2
    assert same_weights(train(CONFIG, network(), faces, tmp_path, fabric, resume=True), whole_run[1])


def test_an_output_folder_that_cannot_be_made_is_one_line(faces, fabric, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="choose another --out"):
        train(CONFIG, network(), faces, tmp_path / "file" / "run", fabric)


def test_a_log_that_cannot_be_written_is_one_line(faces, fabric, tmp_path: Path) -> None:
    (tmp_path / LOG).mkdir()
    with pytest.raises(RunError, match=r"log\.csv cannot be replaced"):
        train(CONFIG, network(), faces, tmp_path, fabric)


def test_a_loss_that_is_not_finite_stops_the_run(faces, fabric, tmp_path: Path) -> None:
    model = network()
    model.head.bias.data[3] = math.nan
    with pytest.raises(RunError, match="loss is nan in epoch 1"):
        train(CONFIG, model, faces, tmp_path, fabric)
    assert not (tmp_path / LAST).exists()


def test_no_training_faces_are_refused(faces, fabric, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no training faces"):
        train(CONFIG, network(), ([], faces[1]), tmp_path, fabric)


def test_without_validation_faces_the_log_says_nan(faces, fabric, tmp_path: Path) -> None:
    train(replace(CONFIG, stages=(Stage(32, 1, 1e-2),)), network(), (faces[0], []), tmp_path, fabric)
    (row,) = log_of(tmp_path)
    assert row["validation_error"] == row["validation_presence"] == "nan"


def test_fewer_faces_than_a_batch_still_train(faces, fabric, tmp_path: Path) -> None:
    config = replace(CONFIG, stages=(Stage(32, 2, 1e-2),), batch_size=32)
    model = train(config, network(), faces, tmp_path, fabric)
    assert not same_weights(model, network())


def test_a_handful_of_faces_is_learnt_by_heart(faces, fabric, tmp_path: Path) -> None:
    """Without augmentation the network must reach, on what it saw, a tenth of what it started from."""
    still = GeometryPolicy(angle_std_deg=0, scale_std=0, shift_std=0, mirror=0)
    recipe = SampleRecipe(still, PhotometricPolicy(*[0.0] * 7), background=0.0)
    config = replace(CONFIG, stages=(Stage(32, 40, 1e-2),), recipe=recipe, ema_decay=0.8)
    four = faces[0][:4]
    start, _ = loop.validate(network(), FaceCrops(four, 32), landmark_task(config, four, four), 4, fabric)
    train(config, network(), (four * 8, four), tmp_path, fabric)
    last = log_of(tmp_path)[-1]
    assert float(last["validation_error"]) < start / 10
    assert float(last["validation_presence"]) > 0.8


def test_validation_is_the_mean_over_faces_whatever_the_batches(faces, fabric) -> None:
    crops = FaceCrops(faces[0], 32)
    task = landmark_task(CONFIG, *faces)
    by_one, by_three = (loop.validate(network(), crops, task, size, fabric) for size in (1, 3))
    assert by_one == pytest.approx(by_three, rel=1e-5)


def test_the_order_of_an_epoch_is_that_of_torchs_own_shuffling() -> None:
    """The shipped weights were trained in that order."""
    generator = torch.Generator().manual_seed(3 * 100_003 + 7)
    shuffled = DataLoader(list(range(50)), 8, shuffle=True, generator=generator, drop_last=True)
    own = StageOrder(range(50), range(7, 8), 48, seed=3)
    assert torch.cat(list(shuffled)).tolist() == [index for _, index in own]


@given(faces=st.integers(1, 40), epochs=st.integers(1, 3), first=st.integers(0, 9), count=st.integers(1, 90))
def test_an_order_takes_each_picture_as_often_as_any_other(faces, epochs, first, count) -> None:
    order = StageOrder(range(100, 100 + faces), range(first, first + epochs), count, seed=1)
    keys = list(order)
    assert len(keys) == len(order) == epochs * count
    for place, epoch in enumerate(range(first, first + epochs)):
        part = keys[place * count : (place + 1) * count]
        assert {key[0] for key in part} == {epoch}
        times = np.bincount([index - 100 for _, index in part], minlength=faces)
        assert times.max() - times.min() <= 1


def test_batches_of_a_stage_are_the_augmented_samples_of_its_epochs(faces, fabric) -> None:
    task, crops = landmark_task(CONFIG, *faces), FaceCrops(faces[0], 32, CONFIG.recipe)
    late = stage_batches(CONFIG, crops, task, 3, fabric, 0)  # the second and last epoch of its stage
    batches = list(late.stream)
    assert len(batches) == late.steps == 2
    order = StageOrder(range(10), range(3, 4), 8, CONFIG.seed)
    expected = torch.stack([crops.at(64, 3)[index][0] for _, index in order])
    assert torch.equal(torch.cat([batch[0] for batch in batches]), expected)
    both = stage_batches(CONFIG, crops, task, 2, fabric, 0)
    assert len(list(both.stream)) == 2 * both.steps


def test_a_set_smaller_than_a_batch_is_one_batch(faces, fabric) -> None:
    few = landmark_task(CONFIG, faces[0][:3], faces[1])
    batches = stage_batches(CONFIG, FaceCrops(faces[0][:3], 32), few, 0, fabric, 0)
    assert batches.steps == 1
    assert len(next(batches.stream)[0]) == 3


def test_a_distributed_run_shuffles_every_epoch_anew_and_splits_it(fabric) -> None:
    """Fabric's wrapper reads our order on each of two processes and deals it out in turn."""
    order = StageOrder(range(10), range(2), 10, seed=0)
    loader = DataLoader([0] * len(order), 5, sampler=order)
    parts = [list(fabric._get_distributed_sampler(loader, num_replicas=2, rank=rank)) for rank in range(2)]
    first, second = ([[i for e, i in part if e == epoch] for part in parts] for epoch in range(2))
    assert sorted(first[0] + first[1]) == sorted(second[0] + second[1]) == list(range(10))
    assert first[0] != second[0]
