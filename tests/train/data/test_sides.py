from collections import Counter

import pytest

from train.data.sides import Side, half_side, person_side, photograph_side, wider_photograph


def test_about_a_third_of_the_people_are_held_out_and_a_sixteenth_validates() -> None:
    count = Counter(person_side(f"{number:03}") for number in range(1, 401))
    assert count[Side.HELD_OUT] == pytest.approx(400 * 5 / 16, abs=30)
    assert count[Side.VALIDATION] == pytest.approx(400 / 16, abs=12)


def test_half_of_the_pictures_without_people_are_held_out_or_validate() -> None:
    count = Counter(half_side(f"noface/cat_{number:03}.jpg") for number in range(1000))
    assert count[Side.TRAINING] == pytest.approx(500, abs=50)


@pytest.mark.parametrize(("person", "side"), [("001", person_side("001")), ("033", person_side("033"))])
def test_a_person_is_always_on_the_same_side(person: str, side: Side) -> None:
    assert photograph_side(f"cfp/{person}") is side


def test_all_faces_of_a_wider_photograph_have_one_key() -> None:
    photograph = "wider/12_Group_Group_12_Group_Group_12_233"
    assert wider_photograph("wider_12_Group_Group_12_Group_Group_12_233_2") == photograph
    assert wider_photograph("12_Group_Group_12_Group_Group_12_233_0") == photograph
