import math
from pathlib import Path

import pytest

from train.errors import DataError
from train.training.log import EpochReport, Validation, read_log, write_log


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_columns_are_read_by_name(tmp_path: Path) -> None:
    log = read_log(write(tmp_path / "log.csv", "epoch,loss,extra\n1,2.5,nan\n2,1e-3,4\n"))
    assert list(log) == ["epoch", "loss", "extra"]
    assert log["loss"].tolist() == [2.5, 1e-3]
    assert math.isnan(log["extra"][0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "epoch and loss"),
        ("epoch,loss\n", "epoch and loss"),
        ("a,b\n1,2\n", "epoch and loss"),
        ("epoch,loss\n1,2\n2,x\n", r"log\.csv:3: "),
        ("epoch,loss\n1,1_0\n", r"log\.csv:2: '1_0' is no decimal number"),
        ("epoch,loss\u2028\n1,2\n", "epoch and loss"),
        ("epoch,loss\n1\n", r"log\.csv:2: expected 2 columns, got 1"),
        ("epoch,loss\n1,2,3\n", r"log\.csv:2: expected 2 columns, got 3"),
    ],
)
def test_other_files_are_refused_with_file_and_line(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        read_log(write(tmp_path / "log.csv", text))


def test_a_missing_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_log(tmp_path / "log.csv")


def test_a_written_log_is_read_with_its_gaps(tmp_path: Path) -> None:
    """The network before training has no loss of its own, and the first row therefore fewer columns."""
    before = EpochReport(0, 128, Validation(30.0, 0.4, 9.0, {"maps": 2.0}))
    after = EpochReport(
        1, 128, Validation(20.0, 0.5, 8.0, {"maps": 1.5}), 0.1, 8.5, {"maps": 1.75}, 40.0, 50.0
    )
    write_log(tmp_path / "log.csv", [before.row(), after.row()])
    log = read_log(tmp_path / "log.csv")
    assert log["epoch"].tolist() == [0, 1]
    assert log["validation_loss_maps"].tolist() == [2.0, 1.5]
    assert math.isnan(log["loss_maps"][0])
    assert (log["loss_maps"][1], log["loss"][1], log["lr"][1]) == (1.75, 8.5, 0.1)
