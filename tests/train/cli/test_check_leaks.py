import shutil
from pathlib import Path

import pytest

from tests.train.cli.runner import Runner, is_one_line
from tests.train.data.photographs import TRAINING, write_sets


def test_a_summary_is_printed(run: Runner, tmp_path: Path) -> None:
    code, printed, _ = run(
        "check-leaks", "--data", write_sets(tmp_path, (*TRAINING, "lfpw/testset", "helen/testset"))
    )
    assert code == 0
    assert printed.splitlines()[-1].endswith("test 2 (lfpw 1, helen 1): no leaks")


def test_every_leak_is_printed_and_the_command_fails(run: Runner, tmp_path: Path) -> None:
    root = write_sets(tmp_path, (*TRAINING, "lfpw/testset", "helen/testset"))
    shutil.copytree(root / "lfpw" / "testset", root / "lfpw" / "trainset", dirs_exist_ok=True)
    code, printed, err = run("check-leaks", "--data", root)
    assert code == 1
    assert is_one_line(err)
    line, summary = printed.splitlines()
    assert line.endswith("same image")
    assert str(root / "lfpw" / "trainset") in line
    assert summary.endswith(": 1 leaks")


def test_missing_test_sets_are_logged(run: Runner, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    code, printed, _ = run("check-leaks", "--data", write_sets(tmp_path, TRAINING))
    assert code == 0
    assert "test 0: no leaks" in printed
    assert "absent test sets" in caplog.text
