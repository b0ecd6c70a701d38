import ctypes
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar, Never

import numpy as np
import pytest

from tracker.errors import BackendError
from tracker.inference import backends
from tracker.inference.backends import (
    BACKENDS,
    OrtSession,
    auto_order,
    default_threads,
    open_first,
    open_session,
)

onnx = pytest.importorskip("onnx")


def has_nvidia_driver() -> bool:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory):
    """A network with two outputs: the input doubled, and its sum over each row."""
    helper, kinds = onnx.helper, onnx.TensorProto
    batch = helper.make_tensor_value_info("batch", kinds.FLOAT, ["N", 3])
    doubled = helper.make_tensor_value_info("doubled", kinds.FLOAT, ["N", 3])
    total = helper.make_tensor_value_info("total", kinds.FLOAT, ["N", 1])
    axis = helper.make_tensor("axis", kinds.INT64, [1], [1])
    nodes = [
        helper.make_node("Add", ["batch", "batch"], ["doubled"]),
        helper.make_node("ReduceSum", ["batch", "axis"], ["total"]),
    ]
    graph = helper.make_graph(nodes, "tiny", [batch], [doubled, total], [axis])
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    opsets = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path


def check_answers(session) -> None:
    batch = np.arange(6, dtype=np.float32).reshape(2, 3)
    doubled, total = session.run(batch)
    assert np.array_equal(doubled, 2 * batch)
    assert np.array_equal(total, [[3], [12]])


def test_cpu_runs_the_model_and_says_so(model) -> None:
    session = open_session(model, "cpu", threads=1)
    assert session.provider == "CPUExecutionProvider"
    check_answers(session)


def test_auto_lands_on_something_that_runs(model) -> None:
    session = open_session(model)
    assert session.provider
    check_answers(session)


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is not installed")
def test_openvino_runs_the_model_and_says_so(model) -> None:
    session = open_session(model, "openvino", threads=1)
    assert session.provider == "OpenVINO CPU"
    check_answers(session)


def test_openvino_that_is_not_installed_is_refused_and_auto_goes_on(
    model, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "openvino" else found(name))
    with pytest.raises(BackendError, match=r"pip install 'tracker\[openvino\]'"):
        open_session(model, "openvino")
    check_answers(open_session(model, "auto"))


def test_an_unknown_backend_is_refused_with_those_there_are(model) -> None:
    with pytest.raises(BackendError, match=f"'tpu'.*auto, {', '.join(BACKENDS)}"):
        open_session(model, "tpu")


def open_in_a_process(model, before=""):
    code = (
        f"from pathlib import Path; from tracker.inference import backends; {before}\n"
        f"try: backends.open_session(Path({str(model)!r}), 'cuda')\n"
        "except backends.BackendError as error: print(error)\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


@pytest.mark.skipif(has_nvidia_driver(), reason="this computer has an NVIDIA driver")
def test_cuda_without_a_driver_is_one_line_and_nothing_on_stderr(model) -> None:
    done = open_in_a_process(model)
    assert "--backend cpu" in done.stdout
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.skipif(has_nvidia_driver(), reason="CUDA may really open here")
def test_cuda_that_falls_back_quietly_is_refused_and_nothing_on_stderr(model) -> None:
    """ONNX Runtime's own words about libraries that it cannot load must not reach the terminal."""
    done = open_in_a_process(model, "backends._require_nvidia_driver = lambda: None")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


class CpuInDisguise:
    """An ONNX Runtime session that takes any provider and runs on the CPU all the same."""

    def __init__(self, *_, **__) -> None:
        pass

    def get_providers(self):
        return ["CPUExecutionProvider"]


def test_a_session_that_is_not_what_was_asked_for_is_refused(model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_require_nvidia_driver", lambda: None)
    monkeypatch.setattr(backends.ort, "InferenceSession", CpuInDisguise)
    with pytest.raises(
        BackendError, match="cuda was asked for, but ONNX Runtime opened CPUExecutionProvider"
    ):
        OrtSession(model, "cuda", 1)


class FakeBinding:
    """The I/O binding of :class:`FakeGpu`: what is bound, and what came out."""

    def __init__(self) -> None:
        self.inputs, self.outputs = {}, []

    def bind_ortvalue_input(self, name, value) -> None:
        self.inputs[name] = value

    def bind_output(self, name) -> None:
        self.outputs.append(name)

    def copy_outputs_to_cpu(self):
        return self.results


class FakeGpu:
    """The model of these tests on a GPU that is none; counts its runs."""

    def __init__(self, *_, providers, **__) -> None:
        (self.provider, self.options), *_ = providers

    def get_providers(self):
        return [self.provider, "CPUExecutionProvider"]

    def get_inputs(self):
        return [SimpleNamespace(name="batch")]

    def get_outputs(self):
        return [SimpleNamespace(name="doubled"), SimpleNamespace(name="total")]

    def io_binding(self):
        return FakeBinding()

    def run_with_iobinding(self, binding) -> None:
        assert binding.outputs == ["doubled", "total"]
        batch = binding.inputs["batch"].numpy()
        binding.results = [2 * batch, batch.sum(axis=1, keepdims=True)]


class FakeValue:
    """Memory of a GPU that is none; ``made`` lists the shapes that were taken."""

    made: ClassVar[list[tuple[int, ...]]] = []

    def __init__(self, array) -> None:
        self.array = array.copy()

    @classmethod
    def ortvalue_from_numpy(cls, array, device, number):
        assert (device, number) == ("cuda", 0)
        cls.made.append(array.shape)
        return cls(array)

    def update_inplace(self, array) -> None:
        self.array[:] = array

    def numpy(self):
        return self.array


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_require_nvidia_driver", lambda: None)
    monkeypatch.setattr(backends.ort, "InferenceSession", FakeGpu)
    monkeypatch.setattr(backends.ort, "OrtValue", FakeValue)
    monkeypatch.setattr(FakeValue, "made", [])


@pytest.mark.usefixtures("gpu")
def test_cuda_takes_memory_once_for_each_shape_and_answers_each_batch(model) -> None:
    session = open_session(model, "cuda")
    assert session.provider == "CUDAExecutionProvider"
    for count in (1, 2, 1, 2, 2):
        batch = np.random.default_rng(count).random((count, 3), np.float32)
        doubled, total = session.run(batch)
        assert np.array_equal(doubled, 2 * batch)
        assert np.array_equal(total, batch.sum(axis=1, keepdims=True))
    assert FakeValue.made == [(1, 3), (2, 3)]


@pytest.mark.usefixtures("gpu")
def test_auto_takes_cuda_first_and_asks_for_its_file_only(model) -> None:
    asked = []
    opened = open_first(lambda backend: asked.append(backend) or model)
    assert (opened.backend, opened.session.provider) == ("cuda", "CUDAExecutionProvider")
    assert asked == ["cuda"]


@pytest.mark.usefixtures("gpu")
def test_cuda_that_fails_while_running_is_one_line(model, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_) -> Never:
        raise RuntimeError("CUDA error 700: an illegal memory access\nsecond line")

    monkeypatch.setattr(FakeGpu, "run_with_iobinding", fail)
    with pytest.raises(
        BackendError, match="CUDAExecutionProvider failed while running: CUDA error 700"
    ) as caught:
        open_session(model, "cuda").run(np.zeros((1, 3), np.float32))
    assert "\n" not in str(caught.value)


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
    model, monkeypatch: pytest.MonkeyPatch, flags, order
) -> None:
    assert auto_order(flags) == order
    assert set(order) == set(BACKENDS)
    tried = []

    def refuse_and_note(name):
        def opener(*_) -> Never:
            tried.append(name)
            raise BackendError("not here")

        return opener

    monkeypatch.setattr(backends, "_OPENERS", {name: refuse_and_note(name) for name in BACKENDS})
    monkeypatch.setattr(backends, "cpu_flags", lambda: flags)
    with pytest.raises(BackendError, match="no backend opens this model: not here; not here; not here"):
        open_first(lambda _: model)
    assert tuple(tried) == order


def test_auto_asks_for_the_file_of_each_backend_that_it_tries(model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backends._OPENERS, "cuda", refuse)
    monkeypatch.setattr(backends, "cpu_flags", lambda: ("avx2",))
    asked = []
    opened = open_first(lambda backend: asked.append(backend) or model)
    assert asked == ["cuda", "cpu"]
    assert opened.backend == "cpu"


def refuse(*_) -> Never:
    raise BackendError("not here")


def test_a_cpu_build_of_the_runtime_beside_a_driver_is_refused(
    model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: None)
    monkeypatch.setattr(backends.ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(BackendError, match="onnxruntime-gpu"):
        open_session(model, "cuda")


@pytest.mark.parametrize("backend", ["auto", "cpu", "openvino"])
@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "text", "missing", "folder"])
def test_a_damaged_model_is_refused_in_one_line(model, tmp_path: Path, backend, damage) -> None:
    good = model.read_bytes()
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


def test_default_threads_stay_between_1_and_4() -> None:
    assert 1 <= default_threads() <= 4


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is not installed")
def test_openvino_opens_without_its_telemetry(model) -> None:
    """The package reports its import over the network, but not where it sees that it runs in CI."""
    code = (
        "import sys; from pathlib import Path; from tracker.inference.backends import open_session;"
        f"print(open_session(Path({str(model)!r}), 'openvino').provider, sys.modules['openvino_telemetry'])"
    )
    env = {key: value for key, value in os.environ.items() if key not in ("CI", "TF_BUILD", "JENKINS_URL")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert done.stdout == "OpenVINO CPU None\n", done.stderr
