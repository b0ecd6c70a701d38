import math
import struct
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

import torch
from lightning_fabric import Fabric
from tensorboardX.proto import event_pb2
from tensorboardX.record_writer import masked_crc32c

from tests.train.training.runs import (
    CONFIG,
    Before,
    Faces,
    StopsAt,
    WholeRun,
    log_of,
    network,
    same_weights,
    train,
    untimed,
)
from train.config import Stage
from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import FaceCrops, SampleRecipe
from train.errors import DataError, RunError
from train.training import loop
from train.training.folder import EVENTS, LOG
from train.training.optimizing import moving_average
from train.training.options import LAST, RunOptions
from train.training.task import landmark_task


def test_the_log_has_a_line_for_each_epoch(whole_run: WholeRun) -> None:
    rows = log_of(whole_run[0])
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [row["size"] for row in rows] == ["32", "32", "32", "64", "64"]
    assert all(math.isfinite(float(value)) for row in rows[1:] for value in row.values())
    for row in rows[1:]:
        for kind in ("loss", "validation_loss"):
            terms = float(row[f"{kind}_coordinates"]) + float(row[f"{kind}_presence"])
            assert terms == pytest.approx(float(row[kind]), rel=1e-5)
    elapsed = [float(row["elapsed_s"]) for row in rows]
    assert elapsed == sorted(elapsed)


def scalars_of(folder: Path) -> dict[str, dict[int, float]]:
    """Read the one event file of a run, independently of its writer: length, CRC, payload, CRC."""
    data = (folder / EVENTS).read_bytes()
    scalars: dict[str, dict[int, float]] = {}
    while data:
        (length,) = struct.unpack_from("<Q", data)
        for part, at in ((data[:8], 8), (data[12 : 12 + length], 12 + length)):
            assert struct.unpack_from("<I", data, at)[0] == masked_crc32c(part)
        event, data = event_pb2.Event.FromString(data[12 : 12 + length]), data[16 + length :]
        for value in event.summary.value:
            scalars.setdefault(value.tag, {})[event.step] = value.simple_value
    return scalars


def test_the_one_event_file_holds_the_numbers_of_the_log(whole_run: WholeRun) -> None:
    assert [path.name for path in (whole_run[0] / EVENTS).parent.iterdir()] == [Path(EVENTS).name]
    scalars, rows = scalars_of(whole_run[0]), log_of(whole_run[0])
    for name in rows[0].keys() - {"epoch"}:
        logged = {int(row["epoch"]): float(row[name]) for row in rows if row[name] != "nan"}
        assert scalars[name] == pytest.approx(logged, rel=1e-5), name


def test_a_resumed_run_goes_on_in_its_event_file(
    faces: Faces, whole_run: WholeRun, fabric: Fabric, tmp_path: Path
) -> None:
    """Also where the epoch's row was not written: the checkpoint has it."""
    with pytest.raises(KeyboardInterrupt):
        train(network(), faces, RunOptions(tmp_path), fabric, loss=StopsAt(5, KeyboardInterrupt()))
    (tmp_path / LOG).unlink()
    events = tmp_path / EVENTS
    events.write_bytes(events.read_bytes()[:-30])
    train(network(), faces, RunOptions(tmp_path, resume=True), fabric)
    assert untimed(log_of(tmp_path)) == untimed(log_of(whole_run[0]))
    assert scalars_of(tmp_path)["loss"] == scalars_of(whole_run[0])["loss"]
    assert list(events.parent.iterdir()) == [events]


def test_the_returned_model_is_the_average_and_evaluates(whole_run: WholeRun) -> None:
    out, model = whole_run
    state = torch.load(out / LAST, weights_only=True)
    assert not model.training
    assert torch.equal(model.get_parameter("head.weight"), state["averaged"]["module.head.weight"])
    assert not torch.equal(model.get_parameter("head.weight"), state["model"]["head.weight"])


@pytest.mark.parametrize("decay", [0.5, 0.998])
def test_the_average_forgets_its_start_and_reaches_its_decay(decay: float) -> None:
    average, kept = moving_average(decay), [torch.tensor(1.0)]
    for updates in range(1, 2000):  # later weights are all 0, so the value is the share of the start
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
    assert weight[0].item() == 3.5
    assert counter[0].item() == 12


def test_logs_of_an_abandoned_run_are_removed(faces: Faces, fabric: Fabric, tmp_path: Path) -> None:
    config = replace(CONFIG, stages=(Stage(32, 1, 1e-2),))
    train(network(), faces, RunOptions(tmp_path), fabric, config)
    (tmp_path / LAST).unlink()
    train(network(), faces, RunOptions(tmp_path), fabric, config)
    assert [row["epoch"] for row in log_of(tmp_path)] == ["0", "1"]
    assert len(list((tmp_path / EVENTS).parent.iterdir())) == 1


def test_an_output_folder_that_cannot_be_created_is_refused(
    faces: Faces, fabric: Fabric, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="choose another --out"):
        train(network(), faces, RunOptions(tmp_path / "file" / "run"), fabric)


def test_an_unwritable_log_is_refused(faces: Faces, fabric: Fabric, tmp_path: Path) -> None:
    def make_folder() -> None:
        if (tmp_path / LOG).is_file():
            (tmp_path / LOG).unlink()
            (tmp_path / LOG).mkdir()

    with pytest.raises(RunError, match=r"log\.csv cannot be written"):
        train(network(), faces, RunOptions(tmp_path), fabric, loss=Before(make_folder))


def test_a_loss_that_is_not_finite_stops_the_run(faces: Faces, fabric: Fabric, tmp_path: Path) -> None:
    model = network()
    model.head.bias.data[3] = math.nan
    with pytest.raises(RunError, match="loss is nan in epoch 1"):
        train(model, faces, RunOptions(tmp_path), fabric)
    assert not (tmp_path / LAST).exists()


def test_no_training_faces_are_refused(faces: Faces, fabric: Fabric, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no training faces"):
        train(network(), ([], faces[1]), RunOptions(tmp_path), fabric)


def test_without_validation_faces_the_log_holds_nan(faces: Faces, fabric: Fabric, tmp_path: Path) -> None:
    train(
        network(),
        (faces[0], []),
        RunOptions(tmp_path),
        fabric,
        config=replace(CONFIG, stages=(Stage(32, 1, 1e-2),)),
    )
    (row,) = log_of(tmp_path)
    assert row["validation_error"] == row["validation_presence"] == row["validation_loss"] == "nan"


def test_fewer_faces_than_a_batch_still_train(faces: Faces, fabric: Fabric, tmp_path: Path) -> None:
    config = replace(CONFIG, stages=(Stage(32, 2, 1e-2),), batch_size=32)
    model = train(network(), faces, RunOptions(tmp_path), fabric, config)
    assert not same_weights(model, network())


@pytest.mark.slow
def test_the_loop_overfits_four_faces(faces: Faces, fabric: Fabric, tmp_path: Path) -> None:
    """Without augmentation the error on the training faces falls to a tenth."""
    still = GeometryPolicy(angle_std_deg=0, scale_std=0, shift_std=0, mirror=0)
    recipe = SampleRecipe(still, PhotometricPolicy(*[0.0] * 7), background=0.0)
    config = replace(CONFIG, stages=(Stage(32, 40, 1e-2),), recipe=recipe, ema_decay=0.8)
    four = faces[0][:4]
    task = landmark_task(config, four, four)
    start = loop.validate(network(), FaceCrops(four, 32), task, 4, fabric).error
    train(network(), (four * 8, four), RunOptions(tmp_path), fabric, config)
    last = log_of(tmp_path)[-1]
    assert float(last["validation_error"]) < start / 10
    assert float(last["validation_presence"]) > 0.8


def test_validation_is_the_mean_over_faces_whatever_the_batches(faces: Faces, fabric: Fabric) -> None:
    crops = FaceCrops(faces[0], 32)
    task = landmark_task(CONFIG, *faces)
    by_one, by_three = (loop.validate(network(), crops, task, size, fabric) for size in (1, 3))
    assert by_one[:3] == pytest.approx(by_three[:3], rel=1e-5)
    assert by_one.terms == pytest.approx(by_three.terms, rel=1e-5)
    assert sum(by_one.terms.values()) == pytest.approx(by_one.loss)
