"""Standard output in processes of their own: what gets in, what stays out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]


def _run(code: str, shell: str = "") -> subprocess.CompletedProcess[str]:
    program = f"import os, sys\nfrom tracker.system.stdout import StandardOutput\n{code}"
    command = [sys.executable, "-c", program]
    if shell:
        command = ["sh", "-c", f'"$0" "$@" {shell}', *command]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPO, timeout=60)


def test_only_its_owner_writes_to_it_until_it_is_closed() -> None:
    done = _run(
        "print('before')\n"
        "with StandardOutput() as out:\n"
        "    print('a chatty package')\n"
        "    os.write(1, b'a chatty native library\\n')\n"
        "    out.write('result \\u00fc \\udcff\\n')\n"
        "    os.system('echo a chatty child')\n"
        "out.close()\n"
        "print('after')\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "before\nresult ü \\udcff\nafter\n"
    assert sorted(done.stderr.splitlines()) == [
        "a chatty child",
        "a chatty native library",
        "a chatty package",
    ]


def test_text_longer_than_any_pipe_arrives_whole() -> None:
    done = _run("with StandardOutput() as out:\n    out.write('0123456789' * 100_000)\n")
    assert done.stdout == "0123456789" * 100_000


def test_a_closed_standard_output_is_refused() -> None:
    done = _run(
        "from tracker.errors import SinkError\n"
        "try:\n    StandardOutput()\nexcept SinkError as error:\n    sys.stderr.write(str(error))\n",
        ">&-",
    )
    assert done.stderr == "cannot write standard output: it is closed; give a file name"


def test_a_reader_that_has_ended_is_told_apart_from_other_failures() -> None:
    done = _run(
        "from pathlib import Path\n"
        "from tracker.errors import ReaderGoneError\n"
        "from tracker.sinks.json_lines import JsonSink\n"
        "from tracker.types import FrameResult\n"
        "read, write = os.pipe()\n"
        "os.dup2(write, 1), os.close(read)\n"
        "sink = JsonSink(StandardOutput())\n"
        "for attempt in range(2):\n"
        "    try:\n        sink.write(FrameResult((), 0, 0.0, 'a', (4, 4)))\n"
        "    except ReaderGoneError as error:\n        sys.stderr.write(f'{error}\\n')\n"
        "sink.close()\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == 2 * "cannot write standard output: its reader has ended\n"
