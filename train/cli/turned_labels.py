"""The command ``python -m train turned-labels``. Slow imports happen when the command runs."""

from __future__ import annotations

import typer

from train.cli.options import DataOption, LabelsOption, TeacherOption, TeacherWeightsOption


def turned_labels(
    data: DataOption,
    out: LabelsOption,
    teacher: TeacherOption = "unet",
    weights: TeacherWeightsOption = None,
) -> None:
    """Label the turned and masked faces of DIR that have a box or five points only, to train on them."""
    from train.data.sides import Side
    from train.files import try_writing
    from train.models.load import load_heatmap_network
    from train.progress import progress_bar
    from train.studies.pseudo_labels import write_labels
    from train.studies.turned_labels import guesses, label_turned

    try_writing(out)
    loaded = load_heatmap_network(teacher, weights)
    found = guesses(data, Side.TRAINING)
    with progress_bar("labelling", len(found)) as advance:
        labels = label_turned(loaded.network, loaded.size, found, advance)
        count = write_labels(labels, data, out)
    typer.echo(f"wrote {out}: {count} of {len(found)} faces")
