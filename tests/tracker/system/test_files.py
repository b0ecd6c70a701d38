from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tracker.system.text_file import TextFile

REPO = Path(__file__).resolve().parents[3]

_FILL = """
import resource, signal, sys
from pathlib import Path
from tracker.errors import SinkError
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.json_lines import JsonSink
from tracker.types import FrameResult
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    with JsonSink(Path(sys.argv[1])) as sink:
        for index in range(1000):
            sink.write(FrameResult((), index, index / 30, "name", (480, 640)))
except SinkError as error:
    print(error)
"""


def test_a_full_disk_leaves_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    command = [sys.executable, "-c", _FILL, str(path)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=60)
    assert done.stdout == f"cannot write {path}: File too large\n", done.stderr
    text = path.read_text()
    assert text.endswith("\n")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["frame"] for line in lines] == list(range(len(lines)))
    assert 9_500 < len(text) <= 10_000


def test_nothing_is_written_before_the_flush_and_all_at_it(tmp_path: Path) -> None:
    path = tmp_path / "o.txt"
    file = TextFile(path)
    assert file.write("grün \udcff\n") == 7
    assert path.read_bytes() == b""
    file.flush()
    assert path.read_bytes() == "grün \\udcff\n".encode()
    file.write("end")
    file.close()
    file.close()
    assert path.read_text().endswith("end")


def test_a_device_without_room_says_so() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    file = TextFile(Path("/dev/full"))
    file.write("text")
    with pytest.raises(OSError, match="No space left"):
        file.flush()
    file.close()
