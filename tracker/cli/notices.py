"""Lines on stderr about a run that was asked for, but will differ from what one might expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tracker.cli.command import Command
from tracker.cli.messages import say
from tracker.errors import SourceError
from tracker.geometry import Stretch
from tracker.inference.detection.known_boxes import KnownBoxes
from tracker.runs.left_out import LeftOutFaces
from tracker.runs.outputs import Outputs
from tracker.sinks.labels import DlibSink, PtsSink
from tracker.sinks.video.formats import GIF_LONGEST, holds_sound
from tracker.sinks.video.sizes import shrunk_hw
from tracker.sources.film import Film
from tracker.sources.video.pixel_aspect import aspect_text


def tell_of_pixels(command: Command, name: str, image_hw: tuple[int, int], aspect: float) -> None:
    """Say that pixels are not square, and that a GIF is smaller than the pictures of ``image_hw``."""
    if aspect != 1:
        command.note(
            f"{name} has pixels of {aspect_text(aspect)}: measures are those of the picture as it is shown, "
            "coordinates those of the pixels as they are stored"
        )
    output, shown_hw = command.targets.output, Stretch.of(aspect).square_hw(image_hw)
    if output and output.suffix.lower() == ".gif" and max(shown_hw) > GIF_LONGEST:
        height, width = shrunk_hw(shown_hw, GIF_LONGEST)
        small = f"the GIF is written at {width}x{height}, as it is hardly compressed"
        command.note(f"{small}; .mp4 keeps {image_hw[1]}x{image_hw[0]}")


def tell_of_boxes(
    command: Command,
    boxes: KnownBoxes | None,
    names: Sequence[str] | None = None,
    frame_count: int | None = None,
) -> None:
    """Say where the boxes of a file, if there are any, do not suit the pictures ``names``, or a video.

    Raises :class:`~tracker.errors.SourceError` if boxes of frames are given for pictures, or the other way.
    """
    if boxes is None:
        return
    if boxes.are_of_images != (names is not None):
        wanted, found = ("image", "frame") if names is not None else ("frame", "image")
        raise SourceError(f"{boxes.name} has boxes by {found}, and here they must have the field {wanted}")
    if names is None:
        last = max(key for key in boxes.boxes if isinstance(key, int))
        if frame_count is not None and last >= frame_count:
            say(f"{boxes.name} has boxes up to frame {last}, and the video has {frame_count} frames, from 0")
        return
    if unknown := sorted(map(str, boxes.boxes.keys() - set(names))):
        say(f"{len(unknown)} names in {boxes.name} are of no picture here, such as {unknown[0]!r:.60}")
    if missing := [name for name in names if name not in boxes.boxes]:
        line = f"{len(missing)} pictures have no box in {boxes.name}, such as {missing[0]!r:.60}"
        command.note(f"{line}: no faces are reported there")


def warn_of_voices(command: Command, source: Film) -> None:
    """Say that anonymising keeps the sound."""
    output = command.targets.output
    if command.anonymise and output and source.has_audio and holds_sound(output):
        say("the sound is not changed: voices can be recognised")


def with_left_out_notice(command: Command, outputs: Outputs, stills: bool = False) -> Outputs:
    """Return ``outputs`` with a count of the faces that a limit leaves out, which is said at the end."""
    count, limit = LeftOutFaces(), command.tracker.max_faces

    def tell() -> None:
        if line := count.of_images(limit) if stills else count.of_video(limit):
            say(line)

    command.stack.callback(tell)
    return replace(outputs, results=(*outputs.results, count))


def tell_of_unlabelled_faces(outputs: Outputs) -> None:
    """Say how many faces and images are in no label file."""
    left_out = sum(sink.left_out for sink in outputs.results if isinstance(sink, PtsSink))
    if left_out:
        say(f"a .pts holds one face: {left_out} more are left out; --labels FILE.xml holds all")
    unnamed = [name for sink in outputs.results if isinstance(sink, DlibSink) for name in sink.unnamed]
    if unnamed:
        some = f"{len(unnamed)} names cannot be written in XML, such as {unnamed[0]!r}"
        say(f"{some}: rename these images to label them")
