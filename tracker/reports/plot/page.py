"""Timeline of a run as one self-contained HTML file: the drawing, and a table of the faces."""

from __future__ import annotations

from html import escape

from tracker.reports.plot.figure import colour_of, draw_timeline
from tracker.reports.plot.lines import clock, displayed, headline
from tracker.reports.plot.ours import PAGE_MARK
from tracker.reports.plot.timeline import FaceSeries, Timeline
from tracker.scheme.ibug68 import IBUG68

# The policy forbids loading and scripts, whatever a file name holds.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
{mark}
<title>{title}</title>
<style>
body {{ font: 14px/1.45 system-ui, sans-serif; color: #22262b; background: #fff; max-width: 1240px;
  margin: 0 auto; padding: 0 16px 40px }}
svg {{ width: 100%; height: auto }}
table {{ border-collapse: collapse; margin-left: 7.5%; font-variant-numeric: tabular-nums }}
th, td {{ padding: 5px 14px; text-align: right; border-bottom: 1px solid #e6e8eb }}
th {{ color: #6b7280; font-weight: normal; vertical-align: bottom }}
th:first-child, td:first-child {{ text-align: left; font-weight: 600 }}
</style>
</head>
<body>
<main aria-label="{summary}">
{drawing}
</main>
{table}
</body>
</html>
"""
_MEANS = (("yaw_deg", 1), ("pitch_deg", 1), ("roll_deg", 1), ("mouth", 3), ("score", 3), ("quality", 3))


def timeline_page(line: Timeline) -> bytes:
    """Return the page in UTF-8."""
    drawing = draw_timeline(line, "svg").decode()
    page = _PAGE.format(
        mark=PAGE_MARK,
        title=escape(displayed(line.source)),
        summary=escape(headline(line)),
        drawing=drawing[drawing.index("<svg") :],  # without the XML declaration of a separate file
        table=_table(line) if line.faces else "",
    )
    return page.encode("utf-8")


def _table(line: Timeline) -> str:
    unit = "frames" if line.is_video else "pictures"
    names = ["face", *(["from", "to"] if line.is_video else []), unit]
    names += ["lost in between", "blinks", "blinks a minute"] if line.is_video else []
    names += ["yaw", "pitch", "roll", "mouth open", "score", "quality"]
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = "\n".join(_row(line, face) for face in line.faces)
    note = f"Angles in degrees; from yaw on, means over the {unit} with that face."
    return f"<table>\n<tr>{head}</tr>\n{rows}\n</table>\n<p style='margin-left:7.5%;color:#6b7280'>{note}</p>"


def _row(line: Timeline, face: FaceSeries) -> str:
    cells = [f"<td style='color:{colour_of(face.id)}'>{face.id}</td>"]
    if line.is_video:
        start, end = (float(line.times_s[face.at[place]]) for place in (0, -1))
        cells += [_cell(clock(start)), _cell(clock(end)), _cell(f"{len(face.at):,}"), _cell(f"{face.lost:,}")]
        cells += _blink_cells(line, face, end - start)
    else:
        cells.append(_cell(f"{len(face.at):,}"))
    for name, digits in _MEANS:
        mean = face.mean(name)
        cells.append(_cell("" if mean is None else f"{mean:.{digits}f}"))
    return f"<tr>{''.join(cells)}</tr>"


def _blink_cells(line: Timeline, face: FaceSeries, seconds: float) -> list[str]:
    """Return blinks and blinks a minute; empty cells where the points do not show any."""
    if line.scheme != IBUG68 and face.mean("yaw_deg") is None:
        return [_cell(""), _cell("")]
    blinks = len(face.blink_at)
    return [_cell(f"{blinks:,}"), _cell(f"{60 * blinks / seconds:.1f}" if seconds > 0 else "")]


def _cell(text: str) -> str:
    return f"<td>{text}</td>"
