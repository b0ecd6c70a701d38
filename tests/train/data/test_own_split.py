"""Split of one's own pictures: by a rule that can be stated."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.train.data.own_pictures import KITE, kites, write_labels, write_pictures
from train.data.leaks import LeakError, refuse_own_leaks
from train.data.own_split import OwnData, Split
from train.errors import DataError

PERSON = r"-(\d)m"
NAMES = list(kites(30))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty pictures of three people."""
    path = tmp_path_factory.mktemp("own")
    write_pictures(path, NAMES)
    write_labels(path, ".csv", kites(30))
    return path


def names(split: Split) -> tuple[set[str], set[str]]:
    """Return the names of the pictures that train and that validate."""
    training, validation = split.training, split.validation
    return {face.image.name for face in training}, {face.image.name for face in validation}


def test_a_share_validates_and_stays_when_pictures_are_added(folder: Path, tmp_path: Path) -> None:
    training, validation = names(OwnData(folder, "0.3").read(KITE))
    assert training | validation == set(NAMES)
    assert not training & validation
    assert 3 <= len(validation) <= 16
    more = kites(60)
    write_pictures(tmp_path, list(more))
    write_labels(tmp_path, ".csv", more)
    later = names(OwnData(tmp_path, "0.3").read(KITE))
    assert training <= later[0]
    assert validation <= later[1]


def test_people_validate_as_a_whole(folder: Path) -> None:
    split = OwnData(folder, "0.5", PERSON).read(KITE)
    people = [{face.person for face in part} for part in (split.training, split.validation)]
    assert people[0] | people[1] == {"0", "1", "2"}
    assert not people[0] & people[1]


def test_a_list_names_pictures_or_people(folder: Path, tmp_path: Path) -> None:
    some = tmp_path / "some.txt"
    some.write_text("00-0m.png\n\n07-1m\n")
    assert names(OwnData(folder, str(some)).read(KITE))[1] == {"00-0m.png", "07-1m.png"}
    some.write_text("2\n")
    split = OwnData(folder, str(some), PERSON).read(KITE)
    assert {face.person for face in split.validation} == {"2"}
    some.write_text("1\n7\n")
    with pytest.raises(DataError, match=r"some\.txt:2: nothing of .* is named '7'"):
        OwnData(folder, str(some), PERSON).read(KITE)


def test_another_folder_validates(folder: Path, tmp_path: Path) -> None:
    others = {f"other{name}": points for name, points in kites(4, seed=5).items()}
    write_pictures(tmp_path, list(others))
    write_labels(tmp_path, ".pts", others)
    training, validation = names(OwnData(folder, str(tmp_path)).read(KITE))
    assert training == set(NAMES)
    assert validation == set(others)


@pytest.mark.parametrize(
    ("validation", "person", "message"),
    [
        ("0", "", "a share lies between 0 and 1"),
        ("1.0", "", "a share lies between 0 and 1"),
        ("nan", "", "neither a share such as 0.1"),
        ("0.0_5", "", "neither a share such as 0.1"),
        ("nowhere", "", "neither a share such as 0.1 nor a file or folder"),
        ("", "", "--validation : neither a share such as 0.1 nor a file or folder"),
        (__file__, "", r"test_own_split\.py: the name of a list of names ends in \.txt"),
        ("0.1", "(", "not a regular expression"),
        ("0.1", "(a)(b)", "one group at most"),
        ("0.1", "nobody", "finds nobody in the name of"),
        ("0.000001", "", "none of 30 faces would validate"),
        ("0.999999", "", "none of 30 faces would train"),
    ],
)
def test_rules_that_cannot_be_used_are_refused(
    folder: Path, validation: str, person: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        OwnData(folder, validation, person).read(KITE)


@pytest.mark.parametrize("share", ["0.000001", "0.999999"])
@pytest.mark.parametrize("person", ["", PERSON])
def test_the_share_that_is_told_instead_has_faces_on_both_sides(
    folder: Path, share: str, person: str
) -> None:
    with pytest.raises(DataError, match=r"say --validation 0\.\d+$") as caught:
        OwnData(folder, share, person).read(KITE)
    split = OwnData(folder, str(caught.value).rpartition(" ")[2], person).read(KITE)
    assert split.training
    assert split.validation


def test_one_person_cannot_be_divided(folder: Path) -> None:
    with pytest.raises(DataError, match=r"label two people or more$"):
        OwnData(folder, "0.01", "png").read(KITE)


def test_the_rule_shows_the_pattern_as_it_was_typed(folder: Path) -> None:
    assert f"named by '{PERSON}' in" in OwnData(folder, "0.5", PERSON).rule


def test_the_same_file_or_person_on_both_sides_is_refused(folder: Path, tmp_path: Path) -> None:
    split = OwnData(folder, "0.3").read(KITE)
    assert refuse_own_leaks(split.training, split.validation, KITE) == ()
    copied = tmp_path / "copy.png"
    copied.write_bytes(split.training[0].image.read_bytes())
    points = {"copy.png": split.training[0].points}
    write_labels(tmp_path, ".csv", points)
    leaky = OwnData(folder, str(tmp_path)).read(KITE)
    with pytest.raises(LeakError, match=r"1 training pictures are the same .* --validation"):
        refuse_own_leaks(leaky.training, leaky.validation, KITE)
    everyone = OwnData(folder, "0.5", PERSON).read(KITE)
    with pytest.raises(LeakError, match="show the same person"):
        refuse_own_leaks(everyone.training, everyone.training[:1], KITE)


def test_a_truncated_picture_is_told_with_what_to_do(folder: Path, tmp_path: Path) -> None:
    """Its header is whole, so that the labels are read; the pixels are missed when pictures are compared."""
    points = {"a.jpg": kites(1)["00-0m.png"]}
    write_pictures(tmp_path, list(points))
    write_labels(tmp_path, ".csv", points)
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    split = OwnData(folder, str(tmp_path)).read(KITE)
    with pytest.raises(
        DataError, match=r"a\.jpg: not an image .*; save it as PNG, or take it and its label away"
    ):
        refuse_own_leaks(split.training, split.validation, KITE)
