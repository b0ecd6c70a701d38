"""Texts of the live window."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fake_run import frames
from tracker.drawing.text import Span
from tracker.errors import SinkError
from tracker.runs.playback import Extent, Playback
from tracker.runs.view_texts import Notes, clock_text, hint_spans, state_spans, status_spans

FIGURES = (Span("30 fps", bold=True), Span("12 ms"), Span("resnet18"))


def texts(spans: tuple[Span, ...]) -> list[str]:
    return [text for span in spans for text in (span.key, span.text) if text]


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0, "0:00"), (12.9, "0:12"), (60, "1:00"), (3599.9, "59:59"), (3723, "1:02:03"), (-1, "0:00")],
)
def test_times_are_written_as_players_do(time_s: float, text: str) -> None:
    assert clock_text(time_s) == text


def test_the_status_counts_faces_in_plain_english() -> None:
    assert texts(status_spans(FIGURES, 1)) == ["30 fps", "12 ms", "resnet18", "1 face"]
    assert texts(status_spans(FIGURES, 0))[-1] == "0 faces"
    assert texts(status_spans(FIGURES, 4, is_lost=True)) == ["0 fps", "resnet18", "4 faces"]


def test_a_badge_for_everything_that_goes_on() -> None:
    assert state_spans(None, is_lost=False, is_frozen=False, playback=None) == ()
    badges = state_spans(12.4, is_lost=True, is_frozen=True, playback=None)
    assert [spans[0].text for spans in badges] == ["REC 0:12", "camera lost", "frozen"]
    assert [spans[0].disc is not None for spans in badges] == [True, True, False]


def test_a_film_tells_that_it_is_paused_and_where_it_is() -> None:
    with Playback(frames(3), Extent(10, 110, 0.04)) as playback:
        assert texts(hint_spans(playback)) == ["0:00 / 1:40", "h", "keys"]
        playback.toggle_pause()
        (badge,) = state_spans(None, is_lost=False, is_frozen=False, playback=playback)
        assert texts(badge) == ["paused", "Space", "resume"]
        playback.at_end = True
        (badge,) = state_spans(None, is_lost=False, is_frozen=False, playback=playback)
        assert texts(badge) == ["paused", "last frame"]
    assert texts(hint_spans(None)) == ["h", "keys"]
    assert texts(hint_spans(Playback(frames(3)))) == ["h", "keys"]  # of unknown length


def test_notes_replace_each_other_and_go() -> None:
    now_s = [0.0]
    notes = Notes(lambda: now_s[0])
    assert notes.spans() == ()
    notes.say("mirrored")
    notes.say_saved(Path("/photos/tracker-1.png"))
    (note,) = notes.spans()
    assert texts(note) == ["saved photos/tracker-1.png"]
    now_s[0] = 1.9
    assert notes.spans()
    now_s[0] = 2.1
    assert notes.spans() == ()


def test_a_warning_gives_the_reason_on_one_line() -> None:
    notes = Notes(lambda: 0.0)
    notes.warn(SinkError("cannot write /a/tracker-1.png: No space\nleft on device"))
    ((span,),) = notes.spans()
    assert span.text == "not saved: No space\\nleft on device"
    assert span.disc is not None
