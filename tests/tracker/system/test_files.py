"""Writing whole files and lines, error messages, and locks."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

from tests.cli import start_process
from tests.disk import file_size_limit
from tracker.errors import ReaderGoneError, SinkError
from tracker.system.files import Lock, TextFile, check_output, guarded_write, make_folder, write_whole

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
MODES = [pytest.param(False, id="itself", marks=POSIX), pytest.param(True, id="beside")]
LIMIT = 10_000


def test_text_file_on_a_full_disk_ends_with_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "o.txt"
    file = TextFile(path)
    lines = [f"{index:05} {'x' * 41}\n" for index in range(1000)]  # 48 bytes do not divide the limit
    with file_size_limit(LIMIT), pytest.raises(SinkError) as caught, guarded_write(path):
        for line in lines:
            file.write(line)
            file.flush()
    file.close()
    assert str(caught.value) == f"cannot write {path}: File too large"
    assert path.read_text() == "".join(lines[: LIMIT // len(lines[0])])


def test_text_file_writes_everything_at_flush_and_nothing_before(tmp_path: Path) -> None:
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


def test_text_file_reports_a_full_device() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    file = TextFile(Path("/dev/full"))
    file.write("text")
    with pytest.raises(OSError, match="No space left"):
        file.flush()
    file.close()


def test_write_whole_keeps_the_previous_content_when_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "o.bin"
    write_whole(path, b"before")
    with file_size_limit(LIMIT), pytest.raises(OSError, match="File too large"):
        write_whole(path, bytes(LIMIT + 1))
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_check_output_refuses_a_missing_folder_and_an_input(tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    source.touch()
    check_output(tmp_path / "out.mp4", [source])
    with pytest.raises(SinkError, match="there is no folder"):
        check_output(tmp_path / "none" / "out.mp4")
    with pytest.raises(SinkError, match="it is the input"):
        check_output(tmp_path / "." / "in.mp4", [source])


def test_a_guarded_write_converts_only_the_named_kinds_of_errors() -> None:
    with (
        pytest.raises(SinkError, match=r"cannot write o\.mp4: bad packet"),
        guarded_write("o.mp4", ValueError),
    ):
        raise ValueError("bad packet")
    with pytest.raises(ValueError, match="a bug"), guarded_write("o.mp4"):
        raise ValueError("a bug")
    with pytest.raises(ReaderGoneError, match="its reader has ended"), guarded_write("o.mp4"):
        raise BrokenPipeError


@pytest.mark.parametrize("beside", MODES)
@pytest.mark.parametrize("is_folder", [False, True])
def test_lock_is_exclusive_until_it_is_closed(tmp_path: Path, beside: bool, is_folder: bool) -> None:
    path = tmp_path / "out"
    if is_folder:
        path.mkdir()
    else:
        path.write_text("results")
    with Lock(path, beside):
        with pytest.raises(SinkError) as caught:
            Lock(path, beside)
        assert str(caught.value) == f"cannot write {path}: another run is writing to it"
        assert is_folder or path.read_text() == "results"
    again = Lock(path, beside)
    again.close()
    again.close()
    left = [entry for entry in tmp_path.rglob("*") if entry != path]
    assert all(entry.name.startswith(".") for entry in left)
    assert beside or not left


@pytest.mark.parametrize("beside", MODES)
def test_lock_of_a_missing_output_holds_and_creates_nothing(tmp_path: Path, beside: bool) -> None:
    with Lock(tmp_path / "none.jsonl", beside), Lock(tmp_path / "none.jsonl", beside):
        assert list(tmp_path.iterdir()) == []


@POSIX
@pytest.mark.parametrize("beside", [False, True])
def test_lock_ends_with_a_killed_process(tmp_path: Path, beside: bool) -> None:
    path = tmp_path / "o.jsonl"
    path.touch()
    code = (
        "import sys, time; from pathlib import Path; from tracker.system.files import Lock\n"
        f"lock = Lock(Path(sys.argv[1]), {beside})\n"
        "print('locked', flush=True); time.sleep(600)"
    )
    with start_process([sys.executable, "-c", code, path], stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(SinkError, match="another run"):
            Lock(path, beside)
        process.kill()
        process.wait()
        Lock(path, beside).close()


@POSIX
def test_a_file_system_without_locks_is_not_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, *, blocking: bool) -> bool:
        assert not blocking
        opened.append(descriptor)
        raise OSError(errno.ENOLCK, "No locks available")

    opened: list[int] = []
    monkeypatch.setattr(filelock, "lock_descriptor", refuse)
    path = tmp_path / "o.jsonl"
    path.touch()
    with Lock(path), Lock(path):
        assert len(opened) == 2
    for descriptor in opened:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


@POSIX
def test_a_device_is_locked_without_a_file_beside_it() -> None:
    before = set(Path("/dev").iterdir())
    with Lock(Path(os.devnull)):
        assert set(Path("/dev").iterdir()) == before
    with Lock(Path(os.devnull), beside=True), Lock(Path(os.devnull), beside=True):
        assert set(Path("/dev").iterdir()) == before


def test_a_folder_is_made_unless_its_name_is_a_file_or_a_broken_link(tmp_path: Path) -> None:
    make_folder(tmp_path / "new", "another")
    make_folder(tmp_path / "new", "another")
    (tmp_path / "good").symlink_to("new")
    make_folder(tmp_path / "good", "another")
    make_folder(tmp_path / "a" / "b", "another", parents=True)
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match=r"file: it is not a folder; give another$"):
        make_folder(tmp_path / "file", "another")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(SinkError, match="symbolic link to nowhere"):
        make_folder(tmp_path / "link", "another")
    assert not (tmp_path / "nowhere").exists()
