"""Files of the page: known types only, and no page is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.errors import ServeError
from tracker.serve.static import INDEX, PAGE, load_page


def test_the_shipped_page_has_an_index_and_every_file_of_its_folder() -> None:
    page = load_page()
    assert INDEX in page
    assert set(page) == {path.name for path in PAGE.iterdir() if path.is_file()}
    assert all(file.data for file in page.values())


def test_files_of_other_types_and_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_text("<!doctype html>")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "folder").mkdir()
    assert set(load_page(tmp_path)) == {INDEX}
    assert load_page(tmp_path)[INDEX].media_type == "text/html; charset=utf-8"


def test_without_a_page_the_repair_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"no index\.html: .*(git|pip)"):
        load_page(tmp_path)
    with pytest.raises(ServeError, match="cannot read"):
        load_page(tmp_path / "none")
