from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from train.configs.turned import TURNED
from train.data.imm import imm_shots
from train.evaluation.families import FAMILIES
from train.evaluation.recipes import Recipe
from train.evaluation.split import Split, imm_split, landmark_pictures, landmark_split


def recipe(data: Mapping[str, Any] | None = None, sets: tuple[str, ...] = ()) -> Recipe:
    return Recipe({"stages": [{"sets": list(sets)}]}, "", None if data is None else {"data": data})


def parts(split: Split) -> list[tuple[str, str]]:
    return [(part, count) for part, _, count, _ in split.rows]


def test_without_a_record_the_pictures_of_the_folder_are_counted(tiny_300w: Path) -> None:
    pictures = landmark_pictures(tiny_300w, frozenset())
    split = landmark_split(pictures, recipe(), FAMILIES["unet"].read(tiny_300w))
    counted = [int(count) for part, count in parts(split) if part == "training"]
    assert sum(counted) + len(pictures.validation) == 3 * 24
    assert parts(split)[-2:] == [("test", "3"), ("test", "3")]
    assert "Counted in the data folder" in split.note
    assert len(split.names["validation"]) == len(pictures.validation)
    assert len(split.names["test"]) == 6
    trained = {picture.image.name for picture in pictures.training}
    assert not trained & {*split.names["validation"], *split.names["test"]}


def test_the_record_counts_what_the_run_saw(tiny_300w: Path) -> None:
    pictures = landmark_pictures(tiny_300w, frozenset())
    recorded = recipe({"training": {"lfpw": 1234, "pseudo": 5}, "validation": 7})
    split = landmark_split(pictures, recorded, FAMILIES["unet"].read(tiny_300w))
    assert parts(split)[:3] == [("training", "1,234"), ("training", "5"), ("validation", "7")]
    assert "in the record of the run" in split.note
    assert list(split.names) == ["test"]  # the seven are not known by name


NO_COUNTS = [{}, {"training": "all", "validation": 3}, {"training": 3, "validation": None}]


@pytest.mark.parametrize("data", NO_COUNTS)
def test_a_record_without_counts_counts_nothing(tiny_300w: Path, data: dict[str, object]) -> None:
    pictures = landmark_pictures(tiny_300w, frozenset())
    split = landmark_split(pictures, recipe(data), FAMILIES["unet"].read(tiny_300w))
    assert "Counted in the data folder" in split.note


def test_absent_sets_are_named(tiny_300w: Path) -> None:
    pictures = landmark_pictures(tiny_300w, frozenset(TURNED))
    assert set(pictures.absent) == {"hands", "noface", "profiles", "pseudo"}
    split = landmark_split(pictures, recipe(sets=TURNED), FAMILIES["unet"].read(tiny_300w))
    assert "CFP profiles" in split.note


def test_people_of_the_imm_database_are_in_one_part(tiny_imm: Path) -> None:
    shots = imm_shots(tiny_imm)  # people 1, 2, 30, 33 and 34
    split = imm_split(shots, recipe(), final=False, others=0)
    assert parts(split) == [("training", "12"), ("validation", "6"), ("test", "12")]
    assert [row[3].partition(",")[0] for row in split.rows] == ["people 1-28", "people 29-32", "people 33-40"]
    final = imm_split(shots, recipe(), final=True, others=9)
    assert parts(final) == [("training", "18"), ("training", "9"), ("test", "12")]
    assert final.rows[0][3] == "people 1-32"
    assert "nobody validated" in final.note


@pytest.mark.parametrize(("validation", "people"), [(0, "people 1-32"), (4, "people 1-28")])
def test_the_record_tells_a_final_run(tiny_imm: Path, validation: int, people: str) -> None:
    recorded = recipe({"training": {"imm": 8, "300w": 3}, "validation": validation})
    split = imm_split(imm_shots(tiny_imm), recorded, final=validation > 0, others=0)
    assert split.rows[0][2:] == ("8", people)
    assert ("validation", str(validation)) in parts(split) or validation == 0
