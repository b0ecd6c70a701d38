"""Byte-for-byte comparison of the results of two checkouts, for changes that must not alter behaviour.

Both checkouts run side by side on this computer, on the same files under the same relative names. All files
that they write, their messages and exit codes are compared:

- videos: JSON lines and CSV of each clip in ``DATA/videos`` with each model, and OpenFace's columns;
- images: JSON lines, CSV, labels, Parquet and annotated pictures of 100 test images of 300-W;
- batch: all results of ``tracker batch`` over two clips and a folder of images;
- anonymised: the decoded pictures of a blurred clip, and plots of its results;
- commands: exit code, standard output, standard error and the files left by the command lines of
  :mod:`benchmarks.same_results_cases`.

Left out is what differs between any two runs: the names of the checkout and of its working folder, and for a
batch the seconds (in its table, summary and records) and the order of rows in ``summary.csv``. Videos are
compared by their decoded pictures. Runs have no display and a terminal of 100 columns without colours.

    python -m benchmarks.same_results BEFORE AFTER --data DATA --keep KEPT
    python -m benchmarks.same_results BEFORE AFTER --only commands
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.command import ThreadsOption, run_command
from benchmarks.same_results_cases import Case
from benchmarks.same_results_inputs import write_inputs
from benchmarks.same_results_plan import READS, WHATS, Step, What, lay_out, plan
from benchmarks.same_results_sides import Side, unexpected
from tracker.errors import BenchError
from train.files import replace, to_json, try_writing
from train.progress import progress_bar

Plans = dict[What, Sequence[Step | Case]]
DataOption = Annotated[Path, typer.Option(metavar="DIR", help="Folder with videos/ and 300w/ in it.")]
OnlyOption = Annotated[
    list[str] | None, typer.Option(metavar="WHAT", help=f"One of {', '.join(WHATS)}; repeat. Default: all.")
]
KeepOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Keep results here, and take those of BEFORE's commit from here."),
]
ReportOption = Annotated[
    Path | None, typer.Option(metavar="OUT.json", help="Write all differences to this file.")
]
_SHOWN = 40
"""Characters of a line that a difference quotes."""


@dataclass(frozen=True)
class Compared:
    """Group of files that was compared: their number, and each difference in one line."""

    what: str
    items: int
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Outcome of a comparison: both commits with local changes, the rows, and unexpected exit codes.

    ``unexpected`` lists the command lines whose exit code on the first side is not the known one.
    """

    before: tuple[str, str]
    after: tuple[str, str]
    compared: tuple[Compared, ...]
    unexpected: tuple[str, ...]


def compare(before: Path, after: Path, whats: Sequence[str]) -> list[Compared]:
    """Compare the files below two folders and return a row for each of their subfolders ``whats``."""
    rows = []
    for what in whats:
        roots = (before / what, after / what)
        names = sorted(
            {path.relative_to(root) for root in roots for path in root.rglob("*") if path.is_file()}
        )
        found = [(name, _difference(*(root / name for root in roots))) for name in names]
        told = tuple(f"{name.as_posix()}: {difference}" for name, difference in found if difference)
        rows.append(Compared(what, len(names), told or (() if names else ("nothing was written",))))
    return rows


def _difference(before: Path, after: Path) -> str | None:
    for path, side in ((before, "before"), (after, "after")):
        if not path.is_file():
            return f"not there {side}"
    return first_difference(before.read_bytes(), after.read_bytes())


def first_difference(before: bytes, after: bytes) -> str | None:
    """Return the first difference of two contents, as a line or a byte; ``None`` if they are equal."""
    if before == after:
        return None
    pairs = enumerate(zip(before, after, strict=False))
    at = next((index for index, (one, other) in pairs if one != other), min(len(before), len(after)))
    try:
        texts = [content.decode() for content in (before, after)]
    except UnicodeDecodeError:
        return f"byte {at} of {len(before)} and {len(after)}"
    same = len(before[:at].decode(errors="ignore"))
    start = max(texts[0].rfind("\n", 0, same) + 1, same - _SHOWN // 2)
    shown = [text[start : start + _SHOWN].split("\n")[0] for text in texts]
    line = before.count(b"\n", 0, at) + 1
    return f"line {line}: {shown[0]!r} became {shown[1]!r}"


def git_state(checkout: Path) -> tuple[str, str]:
    """Return the commit of a checkout and its uncommitted changes; ``"", "?"`` outside a repository."""
    said = []
    for command in (("rev-parse", "HEAD"), ("status", "--porcelain")):
        full = ("git", "-C", str(checkout), *command)
        done = subprocess.run(full, capture_output=True, text=True, check=False)
        if done.returncode:
            return "", "?"
        said.append(done.stdout.strip())
    return said[0], said[1]


class Kept:
    """Results of checkouts of earlier comparisons below ``folder``; with None nothing is kept."""

    def __init__(self, folder: Path | None, threads: int) -> None:
        self._folder = folder
        sources = [
            path.read_text(encoding="utf-8")
            for path in sorted(Path(__file__).parent.glob("same_results_*.py"))
        ]
        packages = sorted({f"{one.name} {one.version}" for one in distributions()})
        self._circumstances = repr([threads, packages, sys.version, sources])

    def place(self, side: Side, what: What) -> Path | None:
        """Return the folder for kept results of ``side``; ``None`` if its checkout has local changes.

        The name holds all that they depend on: commit, commands, their files, and the packages installed.
        """
        commit, changed = git_state(side.checkout)
        if self._folder is None or changed:
            return None
        about = sha256(self._circumstances.encode())
        folder = side.work / READS[what]
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            about.update(f"{path.relative_to(folder)} {sha256(path.read_bytes()).hexdigest()}\n".encode())
        return self._folder / commit / f"{what}-{about.hexdigest()[:16]}"

    def fetch(self, side: Side, what: What) -> bool:
        """Copy kept results into the working folder. Returns False if there are none."""
        place = self.place(side, what)
        if place is None or not place.exists():
            return False
        shutil.copytree(place, side.out / what)
        return True

    def store(self, side: Side, what: What) -> None:
        """Keep all results of ``side``, or none of them."""
        place = self.place(side, what)
        if place is None or place.exists():
            return
        draft = place.with_name(f"{place.name}.part")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(side.out / what, draft)
        draft.rename(place)


def prepare(checkout: Path, work: Path, data: Path, whats: Sequence[What]) -> Side:
    """Return a side whose working folder holds all files that its commands read."""
    side = Side(checkout.resolve(), work)
    work.mkdir()
    lay_out(work, data, whats)
    if "commands" in whats:
        write_inputs(work / READS["commands"])
    side.check_origin()
    return side


def run_sides(sides: Sequence[Side], plans: Plans, kept: Kept) -> None:
    """Run both sides at the same time, the first only as far as it is not kept.

    The second always runs, so that a checkout held against itself shows whether its results are steady.
    """
    whole = [{what: plan for what, plan in plans.items() if not kept.fetch(sides[0], what)}, plans]
    stop = threading.Event()
    with (
        progress_bar("same results", sum(len(items) for plan in whole for items in plan.values())) as advance,
        ThreadPoolExecutor(len(sides)) as pool,
    ):
        runs = [
            pool.submit(_run_side, side, plan, advance, stop) for side, plan in zip(sides, whole, strict=True)
        ]
        try:
            for run in as_completed(runs):
                run.result()
        finally:
            stop.set()


def _run_side(side: Side, plans: Plans, advance: Callable[[], None], stop: threading.Event) -> None:
    for items in plans.values():
        for number, item in enumerate(items):
            if stop.is_set():
                return
            side.do(item, number)
            advance()


def compare_checkouts(checkouts: Sequence[Path], data: Path, plans: Plans, kept: Kept) -> Comparison:
    """Run both, compare, and keep what may be kept.

    Raises :class:`~tracker.errors.BenchError` when one is no checkout, fails or is changed on the way.
    """
    with TemporaryDirectory() as name:
        # Names of one length: what is wrapped is wrapped alike.
        works = (Path(name).resolve() / part for part in ("a", "b"))
        sides = [prepare(path, work, data, list(plans)) for path, work in zip(checkouts, works, strict=True)]
        states = [git_state(side.checkout) for side in sides]
        run_sides(sides, plans, kept)
        if states != [git_state(side.checkout) for side in sides]:
            raise BenchError("a checkout was changed while it ran: compare one that nobody works in")
        rows = compare(sides[0].out, sides[1].out, list(plans))
        strange = unexpected(sides[0].out) if "commands" in plans else []
        for side in sides:
            for what in plans:
                kept.store(side, what)
    return Comparison(states[0], states[1], tuple(rows), tuple(strange))


def main(  # noqa: PLR0913 - the options of the command
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="Checkout whose results are right.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="Checkout that is to give the same.")],
    data: DataOption = Path("data"),
    only: OnlyOption = None,
    threads: ThreadsOption = 2,
    keep: KeepOption = None,
    report: ReportOption = None,
) -> None:
    """Say whether two checkouts give the same results, to the byte; exit code 1 if not."""
    if unknown := set(only or ()) - set(WHATS):
        raise typer.BadParameter(f"--only takes {', '.join(WHATS)}, got {min(unknown)!r}")
    if report:
        try_writing(report)
    plans: Plans = {what: plan(what, data, threads) for what in WHATS if not only or what in only}
    found = compare_checkouts((before, after), data, plans, Kept(keep, threads))
    _tell(found)
    if report:
        replace(report, to_json(asdict(found)).encode())
    raise typer.Exit(any(row.differences for row in found.compared))


def _tell(found: Comparison) -> None:
    table = Table(title="same results", title_justify="left")
    for header in ("what", "compared", "result"):
        table.add_column(header, justify="right" if header == "compared" else "left", overflow="fold")
    for row in found.compared:
        more = f" (and {len(row.differences) - 1} more)" if len(row.differences) > 1 else ""
        result = f"{row.differences[0]}{more}" if row.differences else "identical"
        table.add_row(row.what, str(row.items), Text(result))
    console = Console()
    console.print(table)
    for line in found.unexpected:
        typer.echo(f"ends otherwise than listed, in BEFORE: {line}")
    for name, (commit, changed) in (("BEFORE", found.before), ("AFTER", found.after)):
        state = "with changes that are not committed, so not kept" if changed else "unchanged"
        typer.echo(f"{name}: {commit or 'no commit'}, {state}")


if __name__ == "__main__":
    run_command(main)
