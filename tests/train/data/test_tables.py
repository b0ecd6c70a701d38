from pathlib import Path

import pytest

from train.data.tables import file_name, point_columns, points_of, read_table
from train.errors import DataError


def table(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text)
    return path


def test_rows_are_read_by_column_with_their_place(tmp_path: Path) -> None:
    path = table(tmp_path, "file,x0,y0\r\na.jpg,1,2.5\r\n\r\nb.jpg,3,4\r\n")
    rows = read_table(path, ["file", *point_columns(1)])
    assert [where for where, _ in rows] == [f"{path}:2", f"{path}:4"]
    assert points_of(rows[0], 1).tolist() == [[1, 2.5]]
    assert file_name(rows[1], "b") == "b.jpg"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", r":1: the header lacks file"),
        ("name\na\n", r":1: the header lacks file"),
        ("file\n", r"no rows after the header"),
        ("file,x0\na.jpg\n", r":2: expected 2 cells, got 1"),
        ('\nfile,x0\n\n"a.jpg,1\nb.jpg,2\n', r":4: cannot be read as CSV: unexpected end of data"),
        (f"file,x0\n{'a' * 200_000},1\n", r":2: cannot be read as CSV: field larger"),
        ("file,x0,file\na.jpg,1,b.jpg\n", r":1: the header has file twice"),
    ],
)
def test_other_layouts_are_refused(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        read_table(table(tmp_path, text), ["file"])


def test_cells_that_are_no_coordinates_and_foreign_files_are_refused(tmp_path: Path) -> None:
    (row,) = read_table(table(tmp_path, "file,x0,y0\na.jpg,1,x\n"), ["file"])
    with pytest.raises(DataError, match=r":2: expected a finite number"):
        points_of(row, 1)
    with pytest.raises(DataError, match=r":2: expected a file name cfp_\.\.\., got 'a\.jpg'"):
        file_name(row, "cfp_")
