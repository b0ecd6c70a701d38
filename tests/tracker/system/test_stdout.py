"""Standard output reserved for results."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import pytest

from tests.cli import run_main
from tracker.errors import ReaderGoneError, SinkError
from tracker.system.files import guarded_write
from tracker.system.stdout import StandardOutput, stderr_silenced


def test_other_output_goes_to_standard_error_until_it_is_closed() -> None:
    def write() -> None:
        sys.stdout.write("before\n")
        with StandardOutput() as out:
            sys.stdout.write("a chatty package\n")
            os.write(1, b"a chatty native library\n")
            out.write("result \u00fc \udcff\n")
            os.system("echo a chatty child")
        out.close()
        sys.stdout.write("after\n")

    done = run_main(write, package="tracker")
    assert done.stdout == "before\nresult ü \\udcff\nafter\n"
    assert sorted(done.stderr.splitlines()) == [
        "a chatty child",
        "a chatty native library",
        "a chatty package",
    ]


def test_text_longer_than_a_pipe_buffer_is_written_completely() -> None:
    def write() -> None:
        with StandardOutput() as out:
            out.write("0123456789" * 100_000)

    assert run_main(write, package="tracker").stdout == "0123456789" * 100_000


def test_a_closed_standard_output_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # as Python starts with descriptor 1 closed
    with pytest.raises(SinkError, match=r"^cannot write standard output: it is closed; give a file name$"):
        StandardOutput()


def test_a_pipe_whose_reader_has_ended_raises_reader_gone() -> None:
    def write() -> None:
        read, write_end = os.pipe()
        os.dup2(write_end, 1)
        os.close(write_end)
        os.close(read)
        with StandardOutput() as out:
            for _ in range(2):
                with (
                    pytest.raises(ReaderGoneError, match="standard output: its reader has ended"),
                    guarded_write(str(out)),
                ):
                    out.write("result\n")

    run_main(write, package="tracker")


def test_native_output_to_stderr_is_discarded_until_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    with suppress(ValueError), stderr_silenced():
        os.write(2, b"noise")
        raise ValueError
    os.write(2, b"message")
    assert capfd.readouterr().err == "message"
