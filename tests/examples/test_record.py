from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.running import run_example
from tests.media import frame_count
from tests.results import read_json_lines
from tracker.sinks.csv_table import read_table


def test_every_file_holds_every_frame(short: Path, tmp_path: Path) -> None:
    done = run_example("record", short, "--to", "a.csv", "a.jsonl", "a.mp4", "a_%d.png", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "wrote a.csv a.jsonl a.mp4 a_%d.png\n"
    assert read_table(tmp_path / "a.csv")["frame"] == list(range(8))
    lines = read_json_lines(tmp_path / "a.jsonl")
    assert [len(line["faces"]) for line in lines] == [1] * 8
    assert frame_count(tmp_path / "a.mp4") == len(list(tmp_path.glob("a_*.png"))) == 8


@pytest.mark.parametrize("name", ["a.txt", "a"])
def test_a_file_of_no_format_is_one_line(short: Path, tmp_path: Path, name: str) -> None:
    done = run_example("record", short, "--to", name, cwd=tmp_path)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"record: cannot write {name}: ")
    assert done.stderr.count("\n") == 1
