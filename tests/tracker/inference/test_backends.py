"""Backends: by name or the first that opens, each with the file that suits it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from tests.tracker.inference.test_sessions import check_outputs
from tracker.errors import BackendError, MisuseError
from tracker.inference import backends
from tracker.inference.backends import (
    BACKENDS,
    MOST_THREADS,
    OPENERS,
    auto_order,
    default_threads,
    open_first,
    open_session,
)
from tracker.inference.sessions import OrtSession


def refuse(*_: object) -> Never:
    raise BackendError("not here")


def test_auto_opens_something_that_runs(tiny_model: Path) -> None:
    session = open_session(tiny_model)
    assert session.provider
    check_outputs(session)


def test_openvino_that_is_not_installed_is_refused_and_auto_goes_on(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "openvino" else found(name))
    with pytest.raises(BackendError, match=r"pip install 'tracker68\[openvino\]'"):
        open_session(tiny_model, "openvino")
    check_outputs(open_session(tiny_model, "auto"))


def test_an_unknown_backend_is_refused_with_a_list(tiny_model: Path) -> None:
    with pytest.raises(BackendError, match=f"'tpu'.*auto, {', '.join(BACKENDS)}"):
        open_session(tiny_model, "tpu")


@pytest.mark.parametrize(
    ("flags", "order"),
    [
        (("avx2",), ("cuda", "cpu", "openvino")),
        ((), ("cuda", "cpu", "openvino")),
        (("avx512f", "avx512_vnni"), ("cuda", "openvino", "cpu")),
        (("amx_int8",), ("cuda", "openvino", "cpu")),
    ],
)
def test_auto_tries_openvino_before_the_cpu_only_where_it_is_faster(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], order: tuple[str, ...]
) -> None:
    assert auto_order(flags) == order
    assert set(order) == set(BACKENDS)
    tried: list[str] = []

    def refuse_and_note(name: str) -> Callable[[Path, int], Never]:
        def opener(_model: Path, _threads: int) -> Never:
            tried.append(name)
            raise BackendError("not here")

        return opener

    monkeypatch.setattr(backends, "OPENERS", {name: refuse_and_note(name) for name in BACKENDS})
    monkeypatch.setattr(backends, "cpu_flags", lambda: flags)
    with pytest.raises(BackendError, match="no backend opens this model: not here; not here; not here"):
        open_first(lambda _: tiny_model)
    assert tuple(tried) == order


def asked_files(model: Path) -> tuple[list[str], str]:
    """The backends whose file ``auto`` asks for, and the one that it opens."""
    asked: list[str] = []

    def file_for(backend: str) -> Path:
        asked.append(backend)
        return model

    return asked, open_first(file_for).backend


def test_auto_asks_for_the_file_of_each_backend_that_it_tries(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPENERS, "cuda", refuse)
    monkeypatch.setattr(backends, "cpu_flags", lambda: ("avx2",))
    assert asked_files(tiny_model) == (["cuda", "cpu"], "cpu")


def test_auto_asks_for_no_file_after_the_first_that_opens(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPENERS, "cuda", lambda model, threads: OrtSession(model, "cpu", threads))
    assert asked_files(tiny_model) == (["cuda"], "cuda")


@pytest.mark.parametrize("backend", ["auto", "cpu", "openvino"])
@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "text", "missing", "folder"])
def test_a_damaged_model_is_refused_in_one_line(
    tiny_model: Path, tmp_path: Path, backend: str, damage: str
) -> None:
    good = tiny_model.read_bytes()
    path = tmp_path / "bad.onnx"
    contents = {
        "empty": b"",
        "cut": good[: len(good) // 2],
        "noise": np.random.default_rng(0).bytes(500),
        "text": b"<html>not found</html>",
    }
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(contents[damage])
    with pytest.raises(BackendError) as caught:
        open_session(path, backend)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("threads", [-1, MOST_THREADS + 1, 10**6])
def test_threads_out_of_range_are_refused_before_anything_opens(threads: int) -> None:
    with pytest.raises(MisuseError, match=rf"^threads is .* in 0\.\.256, got {threads}$"):
        open_first(lambda _: pytest.fail("looked for a model"), "cpu", threads)


def test_default_threads_are_1_to_4() -> None:
    assert 1 <= default_threads() <= 4
