import multiprocessing
import os
import sys
from collections.abc import Iterator
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.disk import file_size_limit
from tracker.types import ImageArray
from train.data.picture_file import PictureFile
from train.errors import DataError, RunError

posix = pytest.mark.skipif(sys.platform == "win32", reason="files without a name")


def pictures(count: int = 5) -> list[ImageArray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, rng.integers(1, 90, 2), np.uint8) for _ in range(count)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)  # which is remembered
    return tmp_path


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_pictures_come_back_as_they_were_written() -> None:
    written = pictures()
    written.append(written[0][::2, ::-1])  # not contiguous
    file = PictureFile.write(iter(written))
    assert len(file) == 6
    assert all(np.array_equal(file[number], picture) for number, picture in enumerate(written))


def test_pictures_cannot_be_changed() -> None:
    picture = PictureFile.write(pictures())[0]
    with pytest.raises(ValueError, match="read-only"):
        picture[0, 0] = 1


def test_a_picture_outlives_its_file() -> None:
    assert np.array_equal(PictureFile.write(pictures())[3], pictures()[3])


def test_there_may_be_no_pictures() -> None:
    assert len(PictureFile.write([])) == 0


@posix
def test_the_file_has_no_name_that_could_be_left_behind(folder: Path) -> None:
    file = PictureFile.write(pictures())
    assert not list(folder.iterdir())
    assert len(file) == 5


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are not listed")
def test_a_file_is_closed_with_its_last_use() -> None:
    before = open_files()
    file = PictureFile.write(pictures())
    assert open_files() > before
    del file
    assert open_files() == before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are not listed")
def test_a_file_is_closed_where_a_picture_cannot_be_read() -> None:
    def broken() -> Iterator[ImageArray]:
        yield from pictures()
        raise DataError("a.jpg: not an image")

    before = open_files()
    with pytest.raises(DataError, match=r"a\.jpg"):
        PictureFile.write(broken())
    assert open_files() == before


@posix
def test_a_full_disk_is_one_line_with_a_remedy(folder: Path) -> None:
    large = [np.zeros((1000, 1000), np.uint8)] * 3
    with file_size_limit(1_500_000), pytest.raises(RunError, match="TMPDIR") as caught:
        PictureFile.write(large)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(folder.iterdir())


def tell(file: PictureFile, answer: "SimpleQueue[tuple[int, list[int]]]") -> None:
    """Answer with the file's inode and the sums of its pictures."""
    inode = os.fstat(file._file.fileno()).st_ino  # noqa: SLF001 - no other sign that it is the same file
    answer.put((inode, [int(file[number].sum()) for number in range(len(file))]))


@pytest.mark.slow
@pytest.mark.parametrize("start", multiprocessing.get_all_start_methods())
def test_processes_share_the_file_however_they_start(start: str) -> None:
    context: Any = multiprocessing.get_context(start)
    file = PictureFile.write(pictures())
    answer: SimpleQueue[tuple[int, list[int]]] = context.SimpleQueue()
    process = context.Process(target=tell, args=(file, answer))
    process.start()
    inode, sums = answer.get()
    process.join()
    assert inode == os.fstat(file._file.fileno()).st_ino  # noqa: SLF001
    assert sums == [int(picture.sum()) for picture in pictures()]
