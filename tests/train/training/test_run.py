import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from train.training.run import resolve_precision, write_weights


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


def test_the_same_weights_are_the_same_file_with_their_record(tmp_path: Path) -> None:
    network, record = nn.Linear(3, 2), {"kind": "training run", "sessions": [{"command": "train é"}]}
    files = [tmp_path / f"{number}.safetensors" for number in range(6)]
    for path in files:
        write_weights(network, 64, path, record)
    assert len({path.read_bytes() for path in files}) == 1
    with safe_open(files[0], "pt") as file:
        assert file.metadata()["size"] == "64"
        assert json.loads(file.metadata()["run"]) == record
    assert torch.equal(load_file(files[0])["weight"], network.weight)
    write_weights(network, 64, files[0])
    with safe_open(files[0], "pt") as file:
        assert file.metadata() == {"size": "64"}
