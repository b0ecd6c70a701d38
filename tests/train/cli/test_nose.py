import pytest

from train.cli.nose import Variant


def test_the_command_offers_all_variants() -> None:
    pytest.importorskip("torch")
    from train.models.imm import SPECS
    from train.studies.noses import VARIANTS

    assert tuple(Variant) == VARIANTS
    assert {f"nose-{variant}" for variant in Variant} == {name for name in SPECS if name.startswith("nose-")}
