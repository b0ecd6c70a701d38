"""One evaluation from beginning to end: check, measure, write."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from tracker.types import FloatArray
from train.data.readers import LabelledFace
from train.errors import DataError
from train.evaluation.breakdown import Breakdown, break_down, head_yaws
from train.evaluation.breakdown_tables import to_dict
from train.evaluation.families import FAMILIES, Family
from train.evaluation.labelled import LabelledSet
from train.evaluation.own_detector import own_detector, track_test_set
from train.evaluation.own_pictures import own_pictures, remarks, write_marked
from train.evaluation.predictions import Line
from train.evaluation.results import Evaluation, Score, scores
from train.evaluation.tables import to_json
from train.files import make_folder, replace, try_writing
from train.progress import progress_bar
from train.training.log import Log, read_log

if TYPE_CHECKING:
    from train.evaluation.material import Material
    from train.evaluation.occlusion import OcclusionScore
    from train.models.load import Loaded

Only = Literal["label-box", "own-detector"]


@dataclass(frozen=True)
class Request:
    """Options of one evaluation.

    ``files`` are prediction files as subset (or ``None``) and path, ``images`` a folder of the user's own
    pictures, ``log`` the training log; ``report``, ``json_path`` and the folders ``plots`` and ``marked`` are
    the outputs to write, the last for the pictures of ``images``.
    """

    model: str
    data: Path
    weights: Path | None = None
    files: tuple[tuple[str | None, Path], ...] = ()
    images: Path | None = None
    report: Path | None = None
    json_path: Path | None = None
    log: Path | None = None
    plots: Path | None = None
    marked: Path | None = None
    only: Only | None = None

    @property
    def family(self) -> Family:
        """Family of the model."""
        return FAMILIES[self.model]

    @property
    def weights_name(self) -> str:
        """Name of the weights for output."""
        return "as shipped" if self.weights is None else self.weights.name


@dataclass(frozen=True, eq=False)
class Outcome:
    """Results of one evaluation.

    ``material`` is what the report shows beside the scores, and ``own`` the tracker's lines about the user's
    own pictures. ``headline`` are the scores to quote: with the tracker's own detector if it runs the model,
    else from the label box; ``complete`` says that they cover the whole test set; ``notes`` are messages for
    the user. ``breakdowns`` of each condition and ``occlusion`` are for models that the tracker runs.
    """

    evaluations: tuple[Evaluation, ...]
    headline: tuple[Score, ...]
    complete: bool
    notes: tuple[str, ...]
    loaded: Loaded | None
    log: Log | None
    material: Material | None = None
    own: dict[str, Line] = field(default_factory=dict)
    breakdowns: tuple[Breakdown, ...] = ()
    occlusion: tuple[OcclusionScore, ...] = ()


def misuse(request: Request) -> str | None:
    """Return why the options cannot be combined, in one line; None if they can."""
    tracked, only = request.family.tracked, request.only
    if not tracked and (request.files or only == "own-detector"):
        return f"the tracker does not run {request.model}: no --predictions or --only own-detector"
    if only == "label-box" and request.files:
        return "--only label-box leaves no use for --predictions"
    if only == "own-detector" and request.weights:
        return "--only own-detector leaves no use for --weights: the tracker runs the shipped ones"
    if request.images and not (request.report or request.marked):
        return "--images is for the report and for marked pictures: say --report OUT.html or --marked DIR"
    if request.marked and not request.images:
        return "--marked is for pictures of your own: say --images DIR"
    if request.marked and request.images and request.marked.resolve() == request.images.resolve():
        return "--marked needs a folder of its own, not that of --images"
    if request.log and not (request.report or request.plots):
        return "--log is for the report and the plots: say --report OUT.html or --plots DIR"
    if request.report and request.json_path and request.report.resolve() == request.json_path.resolve():
        return "--report and --json need a file each"
    return None


def measure(request: Request) -> Outcome:
    """Check the inputs and the outputs, then measure.

    Raises :class:`~train.errors.TrainError` if an input cannot be used, an output could not be written
    afterwards or the tracker fails.
    """
    _check_outputs(request)
    log = _log(request)
    faces = request.family.read(request.data)
    loaded = None if request.only == "own-detector" else _load(request)
    own_lines = _own_pictures(request, loaded)
    evaluations = [_label_box(request.family, faces, loaded)] if loaded else []
    own, note = _own_detector(request, faces)
    evaluations += [own] if own else []
    material = _material(request, faces, loaded, evaluations[0]) if request.report else None
    yaws = head_yaws(faces) if request.family.tracked else {}
    headline = own if request.family.tracked else evaluations[0]
    absent = [name for name in request.family.subsets if headline is None or name not in headline.names]
    if own and absent:
        note = f"No predictions for {', '.join(absent)}: this is not the complete {len(faces.images)} faces."
    return Outcome(
        evaluations=tuple(evaluations),
        headline=scores(headline) if headline else (),
        complete=not absent,
        notes=(*remarks(own_lines), *((note,) if note else ())),
        loaded=loaded,
        log=log,
        material=material,
        own=own_lines,
        breakdowns=tuple(break_down(one, yaws) for one in evaluations) if yaws else (),
        occlusion=_occlusion(request.family, faces, loaded) if loaded else (),
    )


def write(request: Request, outcome: Outcome) -> None:
    """Write the requested outputs.

    Raises :class:`~train.errors.TrainError` if that fails.
    """
    if request.json_path:
        text = to_json(
            request.model,
            request.weights_name,
            outcome.evaluations,
            outcome.headline,
            outcome.complete,
            to_dict(outcome.breakdowns, outcome.occlusion),
        )
        replace(request.json_path, text.encode())
    if request.plots:
        _write_plots(request.plots, outcome)
    if request.report:
        replace(request.report, _report(request, outcome).encode())
    if request.marked and request.images:
        write_marked(request.marked, request.images, outcome.own)


def _check_outputs(request: Request) -> None:
    if request.images and not request.images.is_dir():
        raise DataError(f"{request.images} is no folder: give --images a folder of pictures")
    for path in (request.json_path, request.report):
        if path:
            try_writing(path)
    for folder, name in ((request.plots, "errors.png"), (request.marked, "picture.png")):
        if folder:
            make_folder(folder)
            try_writing(folder / name)


def _log(request: Request) -> Log | None:
    """Read the log of the run: the one that is named, or the one that training left beside the weights."""
    path = request.log
    if path is None and request.weights is not None and (request.report or request.plots):
        beside = request.weights.with_name("log.csv")
        path = beside if beside.is_file() else None
    return read_log(path) if path else None


def _load(request: Request) -> Loaded:
    from train.models.load import load_network

    return load_network(request.model, request.weights)


def _own_pictures(request: Request, loaded: Loaded | None) -> dict[str, Line]:
    """Return the faces in the user's pictures, with the network's points if the tracker cannot run it."""
    if request.images is None:
        return {}
    alone = loaded if request.weights or not request.family.tracked else None
    return own_pictures(request.images, request.model, request.family, alone)


def _label_box(family: Family, faces: LabelledSet, loaded: Loaded) -> Evaluation:
    from train.evaluation.label_box import label_box

    with progress_bar("reading faces", len(faces.images)) as advance:
        crops = family.crops(faces, loaded.size, advance)
    with progress_bar("label box", len(faces.images)) as advance:
        return label_box(faces, loaded.network, crops, advance)


def _occlusion(family: Family, faces: LabelledSet, loaded: Loaded) -> tuple[OcclusionScore, ...]:
    if not family.tracked:
        return ()
    from train.evaluation.occlusion import CHANGES, occlusion

    with progress_bar("occlusion", len(CHANGES) * len(faces.images)) as advance:
        return occlusion(loaded, cast(tuple[LabelledFace, ...], faces.labels), advance)


def _own_detector(request: Request, faces: LabelledSet) -> tuple[Evaluation | None, str | None]:
    """Return the evaluation, or None and a note for the user."""
    if not request.family.tracked or request.only == "label-box":
        return None, None
    if request.files:
        return own_detector(faces, request.files), None
    if request.weights is None:
        return track_test_set(faces, request.model), None
    return None, (
        "Own detector not measured: the tracker runs shipped weights only. Export these, or give its output "
        "as --predictions."
    )


def _write_plots(folder: Path, outcome: Outcome) -> None:
    from train.evaluation.figures import error_curves, filter_grid, part_bars, png
    from train.training.curves import draw_curves

    evaluations: dict[str, Evaluation] = {
        evaluation.condition: evaluation for evaluation in outcome.evaluations
    }
    plots = {"errors.png": partial(error_curves, evaluations)}
    if (filters := _filters(outcome.loaded)) is not None:
        plots["filters.png"] = partial(filter_grid, filters)
    if len(outcome.evaluations[0].measure.parts) > 1:
        plots["parts.png"] = partial(part_bars, evaluations)
    if outcome.log is not None:
        plots["training.png"] = partial(draw_curves, outcome.log, outcome.evaluations[0].measure.error_name)
    for name, plot in plots.items():
        replace(folder / name, png(plot()))


def _report(request: Request, outcome: Outcome) -> str:
    from train.evaluation.report import Contents, render

    contents = Contents(
        model=request.model,
        weights=request.weights_name,
        evaluations=outcome.evaluations,
        log=outcome.log,
        filters=_filters(outcome.loaded),
        material=outcome.material,
        own_folder=request.images,
        own=outcome.own,
    )
    with progress_bar("drawing the report", None):
        return render(contents)


def _material(request: Request, faces: LabelledSet, loaded: Loaded | None, first: Evaluation) -> Material:
    from train.evaluation.material import Subject, gather

    subject = Subject(request.model, request.weights, request.data, loaded)
    with progress_bar("collecting the report", None):
        return gather(subject, faces, first if loaded else None)


def _filters(loaded: Loaded | None) -> FloatArray | None:
    if loaded is None:
        return None
    from train.evaluation.label_box import first_filters

    return first_filters(loaded.network)
