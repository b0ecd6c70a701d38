from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from tracker.runs.outputs import STDOUT, OutputFiles

NONE: dict[str, Any] = dict.fromkeys(
    ("output", "json", "csv", "openface", "parquet", "labels", "osc", "virtual_camera", "anonymise")
)


def files(**given: Any) -> OutputFiles:
    return OutputFiles(**{**NONE, **given})


@pytest.mark.parametrize(
    ("given", "is_images", "shown", "words"),
    [
        ({}, False, False, "nothing to do"),
        ({}, True, False, "nothing to do"),
        ({"anonymise": "blur"}, True, False, "nothing to do"),
        ({"json": Path("o"), "anonymise": "blur"}, False, False, "--anonymise is for pictures"),
        ({"virtual_camera": "auto"}, True, False, "--virtual-camera"),
        ({"openface": Path("o.csv")}, True, False, "--openface"),
        ({"labels": Path("l.xml")}, False, True, "--labels"),
        ({"csv": STDOUT}, False, True, "only --json -"),
        ({"parquet": STDOUT, "json": STDOUT}, False, True, "only --json -"),
        ({"osc": ""}, False, True, "nothing to do|empty name"),
        ({"csv": Path("o"), "openface": Path("./o")}, False, True, "a file each"),
        ({"json": STDOUT, "parquet": Path("/dev/stdout")}, False, True, "a file each"),
        ({"json": Path("o"), "csv": Path("./o.resume")}, False, True, "a file each"),
        ({"parquet": Path("o"), "csv": Path("o.part")}, False, True, "a file each"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(
    given: dict[str, Any], is_images: bool, shown: bool, words: str
) -> None:
    with pytest.raises(typer.BadParameter, match=words):
        files(**given).check(is_images, shown)


def test_what_goes_together_passes() -> None:
    files().check(is_images=False, shown=True)
    files(anonymise="points").check(is_images=False, shown=True)
    files(virtual_camera="auto", anonymise="blur").check(is_images=False, shown=False)
    files(json=STDOUT, csv=Path("a"), openface=Path("b"), parquet=Path("c")).check(False, False)
    files(labels=Path("l"), output=Path("o"), anonymise="blur").check(is_images=True, shown=False)
    assert not files(anonymise="blur").any
    assert files(osc="h:1").any
