"""Sessions: each runtime runs the model, and what does not open is one line of error."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Never, Self

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

from tests.cli import run_code
from tracker.errors import BackendError
from tracker.inference import sessions
from tracker.inference.sessions import CudaSession, OpenVinoSession, OrtSession, Session

Array = npt.NDArray[Any]

needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="openvino is not installed"
)


def has_nvidia_driver() -> bool:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def check_outputs(session: Session) -> None:
    batch = np.arange(6, dtype=np.float32).reshape(2, 3)
    doubled, total = session.run(batch)
    assert np.array_equal(doubled, 2 * batch)
    assert np.array_equal(total, [[3], [12]])


def test_onnx_runtime_runs_the_model_and_names_its_provider(tiny_model: Path) -> None:
    session = OrtSession(tiny_model, "cpu", threads=1)
    assert session.provider == "CPUExecutionProvider"
    check_outputs(session)


@needs_openvino
def test_openvino_runs_the_model_and_names_its_device(tiny_model: Path) -> None:
    session = OpenVinoSession(tiny_model, threads=1)
    assert session.provider == "OpenVINO CPU"
    check_outputs(session)


@needs_openvino
def test_openvino_opens_without_its_telemetry(tiny_model: Path) -> None:
    """The package reports its import over the network, except where it detects a CI machine."""
    code = (
        "import sys; from pathlib import Path; from tracker.inference.backends import open_session;"
        f"print(open_session(Path({str(tiny_model)!r}), 'openvino').provider,"
        " sys.modules['openvino_telemetry'])"
    )
    env = {key: value for key, value in os.environ.items() if key not in ("CI", "TF_BUILD", "JENKINS_URL")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert done.stdout == "OpenVINO CPU None\n", done.stderr


def open_cuda_in_a_process(model: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """Open ``model`` on CUDA in a process of its own, since libraries print past Python's streams."""
    code = (
        f"from pathlib import Path; from tracker.inference import sessions; {before}\n"
        f"try: sessions.CudaSession(Path({str(model)!r}), 1)\n"
        "except sessions.BackendError as error: print(error)\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


@pytest.mark.skipif(has_nvidia_driver(), reason="this computer has an NVIDIA driver")
def test_cuda_without_a_driver_is_one_line_and_nothing_is_printed(tiny_model: Path) -> None:
    done = open_cuda_in_a_process(tiny_model)
    assert "--backend cpu" in done.stdout
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.skipif(has_nvidia_driver(), reason="CUDA may open here")
def test_cuda_that_falls_back_to_the_cpu_is_refused_and_nothing_is_printed(tiny_model: Path) -> None:
    """ONNX Runtime's messages about libraries that it cannot load do not reach the terminal."""
    done = open_cuda_in_a_process(tiny_model, "sessions.require_nvidia_driver = lambda: None")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


class CpuInDisguise:
    """An ONNX Runtime session that takes any provider and runs on the CPU all the same."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]


def test_another_provider_than_the_one_asked_for_is_refused(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "require_nvidia_driver", lambda: None)
    monkeypatch.setattr(onnxruntime, "InferenceSession", CpuInDisguise)
    with pytest.raises(
        BackendError, match="cuda was requested, but ONNX Runtime opened CPUExecutionProvider"
    ):
        OrtSession(tiny_model, "cuda", 1)


def test_a_cpu_build_of_the_runtime_beside_a_driver_is_refused(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: None)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(BackendError, match="onnxruntime-gpu"):
        CudaSession(tiny_model, 1)


class FakeValue:
    """GPU memory without a GPU; ``made`` lists the shapes that were allocated."""

    made: ClassVar[list[tuple[int, ...]]] = []

    def __init__(self, array: Array) -> None:
        self.array = array.copy()

    @classmethod
    def ortvalue_from_numpy(cls, array: Array, device: str, number: int) -> Self:
        assert (device, number) == ("cuda", 0)
        cls.made.append(array.shape)
        return cls(array)

    def update_inplace(self, array: Array) -> None:
        self.array[:] = array


class FakeBinding:
    """The I/O binding of :class:`FakeGpu`."""

    def __init__(self) -> None:
        self.inputs: dict[str, FakeValue] = {}
        self.outputs: list[str] = []
        self.results: list[Array] = []

    def bind_ortvalue_input(self, name: str, value: FakeValue) -> None:
        self.inputs[name] = value

    def bind_output(self, name: str) -> None:
        self.outputs.append(name)

    def copy_outputs_to_cpu(self) -> list[Array]:
        return self.results


class FakeGpu:
    """The tiny model on a GPU that does not exist."""

    def __init__(self, *_: object, providers: list[tuple[str, object]], **__: object) -> None:
        self.provider = providers[0][0]

    def get_providers(self) -> list[str]:
        return [self.provider, "CPUExecutionProvider"]

    def get_inputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="batch")]

    def get_outputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="doubled"), SimpleNamespace(name="total")]

    def io_binding(self) -> FakeBinding:
        return FakeBinding()

    def run_with_iobinding(self, binding: FakeBinding) -> None:
        assert binding.outputs == ["doubled", "total"]
        batch = binding.inputs["batch"].array
        binding.results = [2 * batch, batch.sum(axis=1, keepdims=True)]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "require_nvidia_driver", lambda: None)
    monkeypatch.setattr(onnxruntime, "InferenceSession", FakeGpu)
    monkeypatch.setattr(onnxruntime, "OrtValue", FakeValue)
    monkeypatch.setattr(FakeValue, "made", [])


@pytest.mark.usefixtures("gpu")
def test_cuda_allocates_memory_once_for_each_shape(tiny_model: Path) -> None:
    session = CudaSession(tiny_model, 1)
    assert session.provider == "CUDAExecutionProvider"
    for count in (1, 2, 1, 2, 2):
        batch = np.random.default_rng(count).random((count, 3), np.float32)
        doubled, total = session.run(batch)
        assert np.array_equal(doubled, 2 * batch)
        assert np.array_equal(total, batch.sum(axis=1, keepdims=True))
    assert FakeValue.made == [(1, 3), (2, 3)]


@pytest.mark.usefixtures("gpu")
def test_cuda_that_fails_while_running_is_one_line(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Never:
        raise RuntimeError("CUDA error 700: an illegal memory access\nsecond line")

    monkeypatch.setattr(FakeGpu, "run_with_iobinding", fail)
    with pytest.raises(
        BackendError, match="CUDAExecutionProvider failed while running: CUDA error 700"
    ) as caught:
        CudaSession(tiny_model, 1).run(np.zeros((1, 3), np.float32))
    assert "\n" not in str(caught.value)


@needs_openvino
def test_openvino_that_fails_while_running_is_one_line(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FailingRequest:
        def infer(self, _: object) -> Never:
            raise RuntimeError("Exception from src/inference: out of memory\nsecond line")

    session = OpenVinoSession(tiny_model, 1)
    monkeypatch.setattr(session, "_request", FailingRequest())
    with pytest.raises(BackendError, match=r"OpenVINO CPU failed while running: [^\n]+$"):
        session.run(np.zeros((1, 3), np.float32))


@needs_openvino
def test_ctrl_c_is_harmless_after_two_openvino_sessions_ended_in_order(tiny_model: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tracker.inference.sessions import OpenVinoSession\n"
        "first, second = (OpenVinoSession(Path(sys.argv[1]), 1) for _ in range(2))\n"
        "del first\n"
        "del second\n"
        "try: os.kill(os.getpid(), signal.SIGINT)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    done = run_code(code, tiny_model)
    assert (done.exit_code, done.stdout) == (0, "interrupted\n"), done.stderr


@needs_openvino
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_openvino_leaves_the_signal_stack_as_it_was(tiny_model: Path) -> None:
    """Else Python's handler of Ctrl-C would overflow the small one that OpenVINO sets."""
    code = (
        "import ctypes, sys; from pathlib import Path\n"
        "from tracker.inference.sessions import OpenVinoSession\n"
        "class Stack(ctypes.Structure):\n"
        "    _fields_ = [('start', ctypes.c_void_p), ('flags', ctypes.c_int), ('size', ctypes.c_size_t)]\n"
        "def stack():\n"
        "    found = Stack()\n"
        "    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found)) == 0\n"
        "    return found.start, found.flags, found.size\n"
        "before = stack()\n"
        "session = OpenVinoSession(Path(sys.argv[1]), 1)\n"
        "assert stack() == before, (stack(), before)\n"
    )
    done = run_code(code, tiny_model)
    assert done.exit_code == 0, done.stderr
