"""The command ``python -m train pseudo-label``. Slow imports happen when the command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from train.cli.options import DataOption, LabelsOption, TeacherOption, TeacherWeightsOption


def pseudo_label(
    data: DataOption,
    out: LabelsOption,
    teacher: TeacherOption = "resnet18",
    weights: TeacherWeightsOption = None,
    limit: Annotated[int, typer.Option(min=0, help="Label only N images of each folder; 0: all.")] = 0,
) -> None:
    """Label the faces in fairface/ and youtube_faces/ of DIR with a trained network, to train another on.

    `python -m train resnet18 --data DIR --pseudo FILE.jsonl` then trains on them too.
    """
    import torch

    from train.files import try_writing
    from train.models.load import load_heatmap_network
    from train.progress import progress_bar
    from train.studies.pseudo_labels import first_guesses, label_faces, write_labels

    try_writing(out)
    loaded = load_heatmap_network(teacher, weights)
    loaded.network.to("cuda" if torch.cuda.is_available() else "cpu")
    guesses = first_guesses(data, limit)
    with progress_bar("labelling", len(guesses)) as advance:
        count = write_labels(label_faces(loaded.network, loaded.size, guesses, advance), data, out)
    typer.echo(f"wrote {out}: {count} faces")
