"""Trial of an exported model of one's own: does the tracker find the faces of labelled pictures with it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.own_box import CropFit
from tracker.errors import TrackerError
from tracker.tracking.opening import TrackerOptions
from train.data.pictures import read_picture
from train.data.readers import LabelledFace
from train.errors import TrainError

MOST_PICTURES = 30
"""Largest number of pictures of a trial."""

LEAST_KEPT = 0.5
"""Share of the faces seen by the detector that the model must admit: with fewer, it is of little use yet."""


@dataclass(frozen=True)
class Trial:
    """Number of ``pictures`` and of those in which a face was ``found``, where ``expected`` were to be."""

    pictures: int
    found: int
    expected: float

    @property
    def warning(self) -> str | None:
        """Line for the user if the tracker finds far fewer faces than the detector alone, else None."""
        if self.found >= LEAST_KEPT * self.expected:
            return None
        return (
            f"warning: with this model the tracker finds a face in {self.found} of {self.pictures} "
            "validation pictures: it is probably too unsure of its points to admit a face; train longer, or "
            "with more pictures"
        )


def warning_of(model: Path, faces: Sequence[LabelledFace], fit: CropFit) -> str | None:
    """Return what to tell the user of a trial of ``model``, a finished export; None if all is well.

    That it cannot be tried here, such as without memory for a second session, says nothing of the file.
    """
    try:
        return try_tracker(model, faces, fit).warning
    except (TrackerError, TrainError) as error:
        return f"warning: {model} is written, but could not be tried on validation pictures: {error}"


def try_tracker(model: Path, faces: Sequence[LabelledFace], fit: CropFit) -> Trial:
    """Run the tracker with ``model`` on some of the pictures of ``faces``; ``fit`` tells what to expect.

    Raises :class:`~train.errors.DataError` for a picture that cannot be read, and
    :class:`~tracker.errors.TrackerError` if the tracker does not open with the model, or fails.
    """
    pictures = list(dict.fromkeys(face.image for face in faces))
    some = pictures[:: max(1, len(pictures) // MOST_PICTURES)][:MOST_PICTURES]
    with TrackerOptions(str(model)).open() as tracker:
        found = sum(bool(tracker.find(read_picture(path, colour=True)).faces) for path in some)
    return Trial(len(some), found, len(some) * fit.found / fit.faces)
