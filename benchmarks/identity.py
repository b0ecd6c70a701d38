"""Identity of tracked faces in generated films: lost, stolen and multiplied ids.

Each kind of fault is a set of films made of the 300-W validation faces; with ``--clips`` the clips of
``videos`` are tracked as well. The figures are counted against the ground truth of the films.

    python -m benchmarks.identity --data DATA --clips
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from benchmarks.command import ModelOption, run_command
from benchmarks.identity_films import Film, Place, Portrait, Scene, read_portraits, still
from tracker import open_tracker
from tracker.types import Frame, FrameResult
from train.errors import DataError

Run = Callable[..., list[FrameResult]]
"""Tracks a film with at most so many faces."""


def ids_of(film: Film, results: Sequence[FrameResult], person: int) -> list[int | None]:
    """Return the id that ``person`` carries in each frame, None where no face is reported there.

    Of people at one place the one in front owns the reported face.
    """
    found: list[int | None] = []
    for scene, result in zip(film.scenes, results, strict=True):
        owner = None
        for face in result.faces:
            nearest = [
                (np.hypot(face.box.center[0] - p.center[0], face.box.center[1] - p.center[1]) / p.size, -i, p)
                for i, p in enumerate(scene.people)
            ]
            near = [entry for entry in nearest if entry[0] < 0.35]
            if near and min(near, key=lambda e: (round(e[0], 1), e[1]))[2].person == person:
                owner = face.id
        found.append(owner)
    return found


def all_ids(results: Sequence[FrameResult]) -> set[int]:
    """Return the ids that occur in ``results``."""
    return {face.id for result in results for face in result.faces}


def blank_frame(portraits: Sequence[Portrait], run: Run) -> Iterator[str]:
    """One white or black frame: after how many frames all faces are back, and how many ids there are."""
    near = [still(0, 400, 400, 90)]
    wall = [still(i % 20, 130 + 185 * (i % 10), 180 + 330 * (i // 10), 90) for i in range(30)]
    for name, people in (("one face of 90 px", near), ("wall of 30", wall)):
        for level in (0, 255):
            scenes = [
                Scene([p(i) for p in people], blank=level if i == 30 else None)
                for i in range(45 if people is near else 66)
            ]
            film = Film(portraits, scenes, (1920, 1080))
            results = run(film, max_faces=30)
            before = len(results[29].faces)
            back = next((i for i in range(31, len(results)) if len(results[i].faces) >= before), None)
            after = "never" if back is None else str(back - 30)
            yield f"{name}, level {level}: {before} faces, back after {after}, {len(all_ids(results))} ids"


def taken_slot(portraits: Sequence[Portrait], run: Run) -> Iterator[str]:
    """The main face is hidden for one frame and all slots are taken."""
    for fps in (30, 25, 15, 5):
        main, other = still(0, 220, 240, 150), still(1, 480, 240, 120)
        scenes = [Scene([other(i)] if i == 20 else [other(i), main(i)]) for i in range(80)]
        film = Film(portraits, scenes, fps=fps)
        results = run(film, max_faces=1)
        ids = ids_of(film, results, 0)
        stolen = sum(one is not None for one in ids_of(film, results, 1))
        yield f"{fps} fps: bystander in {stolen} frames, main person's ids {sorted(set(filter(None, ids)))}"


def crossings(portraits: Sequence[Portrait], run: Run) -> Iterator[str]:
    """Someone passes in front of another: 24 crossings."""
    counts = Counter(crossing(portraits, case, run) for case in range(24))
    yield ", ".join(f"{n} {name}" for name, n in sorted(counts.items()))


def crossing(portraits: Sequence[Portrait], case: int, run: Run) -> str:
    """Track a film in which one of two people passes in front of the other, who moves in odd cases.

    Returns what became of their ids: ``both kept``, ``new id``, ``stolen`` or ``not found at the start``.
    """
    rng = np.random.default_rng(case)
    size, speed, dy = 110 + 40 * rng.random(), 3 + 7 * rng.random(), rng.uniform(-25, 25)
    ratio, frames = rng.uniform(1.0, 1.25), int(360 / speed)
    behind, before = 2 * case % 40, 2 * case % 40 + 1
    scenes = []
    for i in range(frames):
        x = 320 - (case % 2) * (i - frames / 2) * speed * 0.5
        front = Place(before, (140 + speed * i, 240 + dy), size * ratio)
        scenes.append(Scene([still(behind, x, 240, size)(i), front]))
    film = Film(portraits, scenes, drift=0.3)
    results = run(film)
    back_ids, front_ids = (ids_of(film, results, person) for person in (behind, before))
    if back_ids[6] is None or front_ids[6] is None:
        return "not found at the start"
    if back_ids[6] in front_ids or front_ids[6] in back_ids:
        return "stolen"
    kept = back_ids[6] == back_ids[-6] and front_ids[6] == front_ids[-6]
    return "both kept" if kept else "new id"


def false_cuts(portraits: Sequence[Portrait], run: Run) -> Iterator[str]:
    """No cut, but the picture changes much from frame to frame."""
    walk = [
        Scene([Place(0, (320 + 190 * np.sin(i * 0.55), 250 + 14 * np.sin(i * 2)), 330)]) for i in range(30)
    ]
    ramp = np.linspace(1, 0, 640) ** 2
    turns = [i % 4 in (1, 2) for i in range(40)]
    flash = [
        Scene([still(0, 320, 240, 150)(i)], light=0.25 + 3.0 * (ramp if on else ramp[::-1]))
        for i, on in enumerate(turns)
    ]
    dark = [Scene([still(0, 320, 240, 150)(i)], light=0.1, noise=5) for i in range(60)]
    for name, scenes, fps in (
        ("walk at 3 fps", walk, 3),
        ("side flash", flash, 30),
        ("10 % light", dark, 30),
    ):
        ids = Counter[int]()
        seen = 0
        for person in range(3):
            film = Film(portraits, [_as(scene, person) for scene in scenes], fps=fps, drift=0)
            results = run(film)
            ids[len(all_ids(results))] += 1
            seen += sum(bool(result.faces) for result in results)
        yield f"{name}: ids of 3 films {sorted(ids.elements())}, a face in {seen} of {3 * len(scenes)} frames"


def missed_cuts(portraits: Sequence[Portrait], run: Run) -> Iterator[str]:
    """A cut from one person to another who is framed alike, in the same room and in another."""
    for room in (0, 1):
        kept = 0
        for case in range(40):
            a, b = still(case, 320, 240, 140), still((case + 17) % 60, 322, 243, 146)
            scenes = [Scene([(a if i < 8 else b)(i)], ground=room * (i >= 8)) for i in range(14)]
            film = Film(portraits, scenes, drift=0.3)
            results = run(film)
            first, second = ids_of(film, results, case), ids_of(film, results, (case + 17) % 60)
            kept += bool(set(filter(None, first)) & set(filter(None, second)))
        yield f"{'another scene' if room else 'same room'}: the id goes on in {kept} of 40"


def leaving(portraits: Sequence[Portrait], run: Run) -> Iterator[str]:
    """A face leaves through the lower edge."""
    frames = []
    for person in range(6):
        scenes = [Scene([Place(person, (320, 240 + 5 * i), 140)]) for i in range(80)]
        results = run(Film(portraits, scenes))
        # Half of the points lie in the lower 45 % of the face.
        shares = [(480 - (240 + 5 * i - 70)) / 140 for i in range(80)]
        frames.append(sum(bool(r.faces) and s < 0.4 for r, s in zip(results, shares, strict=True)))
    yield f"frames reported with less than 40 % of the face's height in the picture: {frames}"


FAULTS = {
    "blank": blank_frame,
    "slot": taken_slot,
    "cross": crossings,
    "falsecut": false_cuts,
    "missedcut": missed_cuts,
    "leave": leaving,
}


def clip_frames(path: Path, every: int = 1, blank_at: int | None = None) -> Iterator[Frame]:
    """Read every ``every``-th frame of a clip; the one at ``blank_at`` is black."""
    capture = cv2.VideoCapture(str(path))
    fps = capture.get(cv2.CAP_PROP_FPS)
    index = 0
    while True:
        ok, image = capture.read()
        if not ok:
            return
        if index % every == 0:
            image = np.zeros_like(image) if index == blank_at else image
            yield Frame(np.asarray(image, np.uint8), index, index / fps, path.name)
        index += 1


def clip_figures(
    folder: Path, run: Callable[[Iterator[Frame]], list[FrameResult]], count: int | None
) -> Iterator[str]:
    """Count faces, ids and frames with a face in each clip, and as every 15th frame, and the time."""
    for path in sorted(folder.glob("*.mp4")):
        cases: dict[str, tuple[int, int | None]] = {"": (1, None), " every 15": (15, None)}
        if "street" in path.name:
            cases[" black frame"] = (1, 40)
        for case, (every, blank_at) in cases.items():
            results = run(islice(clip_frames(path, every, blank_at), count))
            spent = sum(sum(result.stage_ms.values()) for result in results) / max(len(results), 1)
            faces = sum(len(result.faces) for result in results)
            frames = sum(bool(result.faces) for result in results)
            if not results:
                raise DataError(f"{path}: no frame of this video can be read")
            yield (
                f"{path.stem}{case}: faces {faces}, ids {len(all_ids(results))}, "
                f"frames {frames}/{len(results)}, {spent:.2f} ms"
            )


def _as(scene: Scene, person: int) -> Scene:
    people = [Place(person, place.center, place.size) for place in scene.people]
    return Scene(people, scene.ground, scene.blank, scene.light, scene.noise)


def main(
    data: Annotated[Path, typer.Option(help="Folder that holds 300w/ and videos/.")],
    faults: Annotated[str, typer.Option(help="Kinds of faults, comma-separated.")] = ",".join(FAULTS),
    clips: Annotated[bool, typer.Option(help="Track the clips, too.")] = False,
    frames: Annotated[int | None, typer.Option(help="Frames of each clip.")] = None,
    model: ModelOption = "resnet18",
) -> None:
    """Print the figures of each kind of fault."""
    names = [name for name in faults.split(",") if name]
    if unknown := [name for name in names if name not in FAULTS]:
        raise typer.BadParameter(f"{', '.join(unknown)}: choose of {', '.join(FAULTS)}")
    portraits = read_portraits(data)

    def track(frames: Iterator[Frame], max_faces: int = 8) -> list[FrameResult]:
        with open_tracker(model, "cpu", threads=1, max_faces=max_faces) as tracker:
            return [tracker.step(frame) for frame in frames]

    def run(film: Film, max_faces: int = 8) -> list[FrameResult]:
        return track(film.frames(), max_faces)

    for name in names:
        started = time.perf_counter()
        for line in FAULTS[name](portraits, run):
            typer.echo(f"{name}: {line}")
        typer.echo(f"{name} took {time.perf_counter() - started:.0f} s", err=True)
    if clips:
        for line in clip_figures(data / "videos", track, frames):
            typer.echo(line)


if __name__ == "__main__":
    run_command(main)
