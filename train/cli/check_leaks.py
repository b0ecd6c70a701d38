"""The command ``python -m train check-leaks``. Slow imports happen when the command runs."""

from __future__ import annotations

import typer

from train.cli.options import DataOption


def check_leaks_command(data: DataOption) -> None:
    """Check that training shows no test image and no validation image: by file, name, person and look.

    Checks what there is of 300-W, WFLW, YouTube faces and the IMM Face Database. Prints each leak and a
    summary. Exit code 1 if there is a leak.
    """
    from train.data.imm import FOLDER, imm_shots, split_people, test_shots
    from train.data.leaks import check_leaks, count_by_subset, present_test_faces, refuse
    from train.data.splits import YOUTUBE, training_faces, youtube_faces
    from train.progress import progress_bar
    from train.training.imm import refuse_imm_leaks

    (training, validation), test = training_faces(data), present_test_faces(data)
    if (data / YOUTUBE[0]).is_file():
        training += youtube_faces(data)
    total = len(training) + len(validation) + len(test)
    with progress_bar("comparing images", total) as advance:
        leaks = check_leaks(training, test, advance, validation)
    for leak in leaks:
        typer.echo(str(leak))
    counts = [count_by_subset(faces) for faces in (training, validation, test)]
    typer.echo("training {}, validation {}, test {}: {} leaks".format(*counts, len(leaks) or "no"))
    if (data / FOLDER).is_dir():
        shots = imm_shots(data)
        known, held_out = split_people(shots)
        refuse_imm_leaks(known, held_out)
        refuse_imm_leaks(known + held_out, test_shots(shots))
        typer.echo("IMM Face Database: no leaks")
    refuse(leaks)
