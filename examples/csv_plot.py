"""Plot eyes, mouth and head of each person over time, from a CSV that the tracker wrote.

    tracker --video film.mp4 --csv points.csv --no-window
    python examples/csv_plot.py points.csv plot.png

It needs pandas and Matplotlib (pip install pandas matplotlib). The table has all 68 points, too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CURVES = {
    "eyes": ["eye_open_left", "eye_open_right"],
    "mouth": ["mouth_open"],
    "head, degrees": ["yaw_deg", "pitch_deg", "roll_deg"],
}


def plot(faces: pd.DataFrame, figure: Figure) -> None:
    """Draw a column of plots for each person into ``figure``."""
    people = faces.groupby("id")
    figure.set_size_inches(1 + 5 * len(people), 7)
    axes = figure.subplots(len(CURVES), len(people), sharex=True, sharey="row", squeeze=False)
    for column, (number, rows) in enumerate(people):
        blinked = rows.loc[rows["blinks"].diff() > 0, "time_s"]
        for axis, (title, names) in zip(axes[:, column], CURVES.items(), strict=True):
            for name in names:
                axis.plot(rows["time_s"], rows[name], label=name)
            axis.set_ylabel(title)
            axis.legend(loc="upper right", fontsize="small")
        axes[0, column].vlines(blinked, 0, 1, transform=axes[0, column].get_xaxis_transform(), color="0.7")
        axes[0, column].set_title(f"person {number}: {len(blinked)} blinks")
        axes[-1, column].set_xlabel("seconds")
    figure.tight_layout()


def main() -> None:
    """Read the table, print a line for each person, and plot."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path, help="CSV of the tracker")
    parser.add_argument("plot", type=Path, nargs="?", default=Path("plot.png"), help="default: plot.png")
    options = parser.parse_args()
    try:
        import pandas as pd
        from matplotlib import pyplot as plt
    except ImportError as error:
        sys.exit(f"csv_plot: it needs pandas and Matplotlib ({error}): pip install pandas matplotlib")
    faces = pd.read_csv(options.table)
    if faces.empty:
        sys.exit(f"csv_plot: {options.table} holds no face")
    figure = plt.figure()
    plot(faces, figure)
    figure.savefig(options.plot, dpi=120)
    summary = faces.groupby("id").agg(
        seconds=("time_s", lambda times: times.max() - times.min()),
        eyes=("eye_open_left", "mean"),
        mouth=("mouth_open", "mean"),
        yaw_deg=("yaw_deg", "mean"),
        blinks=("blinks", "max"),
    )
    print(summary.round(2).to_string())


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"csv_plot: {error}")
