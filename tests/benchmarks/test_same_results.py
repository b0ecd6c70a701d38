"""Holding two checkouts against each other: on folders of outputs, and on checkouts that only speak."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks import same_results
from benchmarks.same_results import Kept, compare, first_difference, git_state
from benchmarks.same_results_cases import CASES, Case
from benchmarks.same_results_inputs import write_inputs
from benchmarks.same_results_plan import WHATS, Step, lay_out, plan
from benchmarks.same_results_sides import Side, unexpected
from tracker.errors import BenchError

app = typer.Typer()
app.command()(same_results.main)

SPEAKS = "import sys; print('took', *sys.argv[1:]); sys.exit(len(sys.argv) - 1)"


def outputs(folder: Path, **changed: bytes | None) -> Path:
    """What a side leaves; ``changed`` replaces the contents of a file by its stem, or leaves it out."""
    contents = {
        "videos/clip.jsonl": b'{"frame": 0}\n{"frame": 1}\n',
        "images/face.png": b"\x89PNG\xff\x00\x01",
        "commands/help.txt": b"$ tracker --help\nexit 0\n-- stdout\n",
    }
    for name, content in contents.items():
        kept = changed.get(Path(name).stem, content)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if kept is not None:
            (folder / name).write_bytes(kept)
    return folder


def differences(before: Path, after: Path) -> dict[str, tuple[str, ...]]:
    rows = compare(before, after, ("videos", "images", "commands"))
    return {row.what: row.differences for row in rows}


def test_equal_outputs_are_identical(tmp_path: Path) -> None:
    rows = compare(outputs(tmp_path / "a"), outputs(tmp_path / "b"), ("videos", "images", "commands"))
    assert [(row.what, row.items, row.differences) for row in rows] == [
        ("videos", 1, ()),
        ("images", 1, ()),
        ("commands", 1, ()),
    ]


@pytest.mark.parametrize(
    ("changed", "what", "told"),
    [
        ({"clip": b'{"frame": 0}\n{"frame": 2}\n'}, "videos", "clip.jsonl: line 2: '{\"frame\": 1}' became"),
        ({"face": b"\x89PNG\xff\x00\x02"}, "images", "face.png: byte 6 of 7 and 7"),
        ({"face": None}, "images", "face.png: not there after"),
        ({"help": b"$ tracker --help\nexit 2\n-- stdout\n"}, "commands", "line 2: 'exit 0' became 'exit 2'"),
    ],
)
def test_what_differs_is_told(tmp_path: Path, changed: dict[str, bytes | None], what: str, told: str) -> None:
    found = differences(outputs(tmp_path / "a"), outputs(tmp_path / "b", **changed))
    (line,) = found.pop(what)
    assert told in line
    assert set(found.values()) == {()}


def test_a_file_that_is_new_and_one_that_is_a_folder_now(tmp_path: Path) -> None:
    before, after = outputs(tmp_path / "a", clip=None), outputs(tmp_path / "b", face=None)
    (after / "images/face.png").mkdir()
    found = differences(before, after)
    assert found["videos"] == ("clip.jsonl: not there before",)
    assert found["images"] == ("face.png: not there after",)


def test_nothing_on_both_sides_is_not_the_same(tmp_path: Path) -> None:
    (row,) = compare(tmp_path, tmp_path, ["videos"])
    assert row.differences == ("nothing was written",)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (b"a\n", b"a\n", None),
        (b"", b"a", "line 1: '' became 'a'"),
        (b"a\nb\n", b"a\n", "line 2: 'b' became ''"),
        (b"a\n", b"a\r\n", "line 1: 'a' became 'a\\r'"),
        ("é\nü".encode(), "é\nä".encode(), "line 2: 'ü' became 'ä'"),
        (b"x" * 1000 + b"1", b"x" * 1000 + b"2", f"line 1: '{'x' * 20}1' became '{'x' * 20}2'"),
    ],
)
def test_the_first_difference_is_found(before: bytes, after: bytes, told: str | None) -> None:
    assert first_difference(before, after) == told


def test_inputs_are_the_same_bytes_and_times_every_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_inputs(tmp_path / name)
    files = [sorted(path for path in (tmp_path / name).rglob("*")) for name in ("a", "b")]
    assert len(files[0]) > 25
    for one, other in zip(*files, strict=True):
        assert one.stat().st_mtime_ns == other.stat().st_mtime_ns
        assert one.is_dir() or one.read_bytes() == other.read_bytes(), one.name


def test_command_lines_are_listed_once() -> None:
    assert len({str(case) for case in CASES}) == len(CASES)
    assert {case.code for case in CASES} == {0, 1, 2}


def test_missing_data_is_one_line(tmp_path: Path) -> None:
    for what in set(WHATS) - {"commands", "images"}:
        with pytest.raises(BenchError, match="give --data"):
            plan(what, tmp_path, 1)
    with pytest.raises(BenchError, match="give --data"):
        lay_out(tmp_path, tmp_path, ["images"])
    assert plan("commands", tmp_path, 1)


Checkout = Callable[[str, str], Path]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Makes a repository with a package ``tracker`` that runs the code it is given."""

    def make(name: str, code: str) -> Path:
        package = tmp_path / name / "tracker"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(code)
        (tmp_path / name / ".gitignore").write_text("__pycache__/\n")
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        for command in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "one")):
            subprocess.run(["git", "-C", str(tmp_path / name), *who, *command], check=True)
        return tmp_path / name

    return make


@pytest.fixture
def few_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = (Case("--nonsense", 1), Case("plot 'a b'", 2))
    monkeypatch.setenv("COLUMNS", "200")  # the table on one line
    for module in ("plan", "sides"):
        monkeypatch.setattr(f"benchmarks.same_results_{module}.CASES", cases)


def told(*arguments: object, code: int) -> str:
    done = CliRunner().invoke(app, [*map(str, arguments), "--only", "commands"], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.usefixtures("few_cases")
def test_checkouts_are_run_and_kept(tmp_path: Path, checkout: Checkout) -> None:
    one, same = checkout("one", SPEAKS), checkout("same", SPEAKS)
    other = checkout("other", SPEAKS.replace("len(sys.argv) - 1", "1"))
    keep, report = tmp_path / "keep", tmp_path / "report.json"
    assert "identical" in told(one, same, "--keep", keep, code=0)
    assert len(list(keep.glob("*/commands-*"))) == len({git_state(path) for path in (one, same)})
    (kept,) = (keep / git_state(one)[0]).glob("commands-*")
    (said,) = kept.glob("001*.txt")
    assert said.read_text() == "$ tracker plot 'a b'\nexit 2\n-- stdout\ntook plot a b\n-- stderr\n-- files\n"
    assert "'exit 2' became 'exit 1'" in told(one, other, "--report", report, code=1)
    assert len(json.loads(report.read_text())["compared"][0]["differences"]) == 1
    assert "ends otherwise" in told(other, other, code=0)
    said.write_text("changed")  # a later comparison believes what is kept of the first, and runs the second
    assert "'changed' became" in told(one, same, "--keep", keep, code=1)
    (one / "tracker" / "new.py").touch()
    output = told(one, same, "--keep", keep, code=0)
    assert "so not kept" in output


def test_what_is_kept_belongs_to_a_clean_commit(tmp_path: Path, checkout: Checkout) -> None:
    side = Side(checkout("one", SPEAKS), tmp_path / "work")
    side.out.joinpath("commands").mkdir(parents=True)
    (side.out / "commands" / "a.txt").write_text("said")
    kept = Kept(tmp_path / "keep", 1)
    kept.store(side, "commands")
    fresh = Side(side.checkout, tmp_path / "fresh")
    assert not Kept(tmp_path / "keep", 2).fetch(fresh, "commands")
    assert not Kept(None, 1).fetch(fresh, "commands")
    (side.checkout / "tracker" / "__main__.py").write_text("changed")
    assert kept.place(side, "commands") is None
    assert not kept.fetch(fresh, "commands")
    subprocess.run(["git", "-C", str(side.checkout), "checkout", "-q", "."], check=True)
    assert kept.fetch(fresh, "commands")
    assert (fresh.out / "commands" / "a.txt").read_text() == "said"


def test_a_checkout_is_what_python_runs(tmp_path: Path, checkout: Checkout) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BenchError, match="does not take tracker from"):
        Side(tmp_path / "empty", tmp_path).check_origin()
    Side(checkout("one", SPEAKS), tmp_path).check_origin()
    assert git_state(tmp_path / "empty")[1]


def test_a_step_that_fails_is_told_and_its_paths_are_left_out(tmp_path: Path, checkout: Checkout) -> None:
    side = Side(checkout("one", "import sys, os; sys.exit('bad: ' + os.getcwd())"), tmp_path / "work")
    side.work.mkdir()
    with pytest.raises(BenchError, match=r"a step ended with code 1 in .*: bad: <work>"):
        side.do(Step("videos", "a step", "--video x"), 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_case_has_its_files_packages_and_output(
    tmp_path: Path, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys\nopen(sys.argv[1], 'w').close()\nimport wave\nprint(wave, flush=True)"
    side = Side(checkout("one", code), tmp_path / "work")
    (side.work / "inputs").mkdir(parents=True)
    (side.work / "inputs" / "old").write_text("old")
    cases = (Case("new", 0), Case("old", 1, hidden="wave"), Case("new", 1, full=True))
    monkeypatch.setattr("benchmarks.same_results_sides.CASES", cases)
    for number, case in enumerate(cases):
        side.do(case, number)
    good, hidden, full = (path.read_text() for path in sorted((side.out / "commands").iterdir()))
    assert "exit 0" in good
    assert "new: " in good.partition("-- files")[2]
    assert "import of wave halted" in hidden
    assert "old: " in hidden.partition("-- files")[2]
    assert os.strerror(28) in full
    assert unexpected(side.out) == []
