import math
from pathlib import Path

import pytest

from train.errors import DataError
from train.evaluation.log import read_log


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


def test_the_training_loop_writes_such_a_log(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from train.training import loop

    report = loop.EpochReport(1, 128, 0.1, 2.0, 3.0, math.nan, 40.0, 50.0)
    loop._append_log(tmp_path / "log.csv", report)  # noqa: SLF001 - training to write one line would be slow
    log = read_log(tmp_path / "log.csv")
    assert (log["epoch"].tolist(), log["loss"].tolist()) == ([1], [2])
