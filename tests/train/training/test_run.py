import pytest

pytest.importorskip("torch")

import torch

from train.training.run import resolve_precision


@pytest.mark.parametrize(
    ("cuda", "cuda_native", "avx512", "amx", "expected"),
    [
        (False, False, False, False, "32-true"),
        (False, False, True, False, "bf16-mixed"),
        (False, False, False, True, "bf16-mixed"),
        (True, True, False, False, "bf16-mixed"),
        (True, False, True, True, "32-true"),
    ],
)
def test_automatic_precision_follows_the_hardware(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, cuda_native: bool, avx512: bool, amx: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    # Emulated bfloat16 must not count as native.
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation or cuda_native
    )
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": avx512, "amx_tile": amx})
    assert resolve_precision("auto") == expected
    assert resolve_precision("32-true") == "32-true"
