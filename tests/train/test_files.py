import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Never

import pytest

from train.errors import RunError
from train.files import make_folder, replace, try_writing


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    try_writing(path)
    assert path.read_text() == "old"
    replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_try_writing_creates_no_file(tmp_path: Path) -> None:
    try_writing(tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("action", [try_writing, lambda path: replace(path, b"x")])
def test_unwritable_files_are_refused_in_one_line(tmp_path: Path, action: Callable[[Path], object]) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "nowhere" / "out.json"):
        with pytest.raises(RunError, match=r"cannot be written: \w") as caught:
            action(path)
        assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_a_failed_replacement_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")

    def full(*_: object) -> Never:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(RunError, match="No space left"):
        replace(path, b"new")
    assert path.read_text() == "old"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    try_writing(pipe)
    replace(pipe, b"scores")
    reader.join(10)
    assert read == [b"scores"]
    assert pipe.is_fifo()


def test_folders_are_made_with_their_parents(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be made"):
        make_folder(tmp_path / "file" / "b")
