"""Open an exported model on an inference backend, and prove which one was got.

``cpu`` and ``cuda`` run on ONNX Runtime, ``openvino`` on the OpenVINO runtime where it is
installed. A backend that is asked for by name is what you get, or a :class:`BackendError`;
``auto`` takes the first of :func:`auto_order` that really opens and :attr:`Session.provider` says which.
"""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tracker.errors import BackendError
from tracker.system.machine import cpu_flags, usable_cores

# Both runtimes report their use to their makers over the network unless told not to, ONNX Runtime from
# 1.31 on also on Linux. Its variable must be set before the library is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # openvino copes without it

import onnxruntime as ort  # noqa: E402

ort.disable_telemetry_events()

log = logging.getLogger(__name__)

Array = npt.NDArray[Any]

_ORT_FATAL = 4
_ORT_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_ORT_PROVIDER_OPTIONS = {
    # The default tries every algorithm at each new batch size, which stalls when another face comes in;
    # tensor cores would round activations to ten bits.
    "cuda": {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"},
    "cpu": {},
}


class Session(Protocol):
    """A model that is ready to run: one batch in, its outputs out, in the graph's order."""

    @property
    def provider(self) -> str:
        """What really runs the model, as the runtime itself names it."""
        ...

    @property
    def prepares_each_shape(self) -> bool:
        """Whether the first batch of each size takes longer, because the runtime compiles for it."""
        ...

    def run(self, batch: Array) -> list[Array]:
        """Feed ``batch`` to the model's only input."""
        ...


class OrtSession:
    """A model on ONNX Runtime. Raises :class:`BackendError` if ``backend`` is not what opens."""

    prepares_each_shape = False

    def __init__(self, model: Path, backend: str, threads: int) -> None:
        if backend == "cuda":
            _require_nvidia_driver()
        wanted = _ORT_PROVIDERS[backend]
        ort.set_default_logger_severity(_ORT_FATAL)  # loading a provider logs here, not in the session
        try:
            provider = (wanted, _ORT_PROVIDER_OPTIONS[backend])
            self._session = ort.InferenceSession(str(model), _ort_options(threads), providers=[provider])
        except Exception as error:  # the runtime's own errors share no narrower base class
            raise BackendError(f"{model.name} does not open on {backend}: {_first_line(error)}") from error
        self.provider = str(self._session.get_providers()[0])
        if self.provider != wanted:  # ONNX Runtime falls back to the CPU without an error
            raise BackendError(
                f"backend {backend} was asked for, but ONNX Runtime opened {self.provider}: "
                "check that CUDA and cuDNN match onnxruntime-gpu, or use --backend cpu"
            )
        self._input = self._session.get_inputs()[0].name

    def run(self, batch: Array) -> list[Array]:
        try:
            outputs = self._infer(batch)
        except Exception as error:  # ORT raises classes that share no other base
            raise BackendError(f"{self.provider} failed while running: {_first_line(error)}") from error
        return [np.asarray(output) for output in outputs]

    def _infer(self, batch: Array) -> Sequence[Any]:
        return self._session.run(None, {self._input: batch})  # type: ignore[no-any-return]


class CudaSession(OrtSession):
    """A model on an NVIDIA GPU. Raises :class:`BackendError` where there is none.

    Each batch shape has its place in GPU memory, taken once: a call copies in, runs and copies out.
    """

    prepares_each_shape = True

    def __init__(self, model: Path, threads: int) -> None:
        super().__init__(model, "cuda", threads)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._places: dict[tuple[int, ...], Any] = {}

    def _infer(self, batch: Array) -> Sequence[Any]:
        place = self._places.get(batch.shape)
        if place is None:
            place = self._places[batch.shape] = ort.OrtValue.ortvalue_from_numpy(batch, "cuda", 0)
        else:
            place.update_inplace(batch)
        binding = self._session.io_binding()
        binding.bind_ortvalue_input(self._input, place)
        for name in self._outputs:
            binding.bind_output(name)
        self._session.run_with_iobinding(binding)
        return binding.copy_outputs_to_cpu()  # type: ignore[no-any-return]


class OpenVinoSession:
    """A model on the OpenVINO runtime. Raises :class:`BackendError` where that is not installed."""

    prepares_each_shape = True

    def __init__(self, model: Path, threads: int) -> None:
        if importlib.util.find_spec("openvino") is None:
            raise BackendError("backend openvino is not installed: pip install 'tracker[openvino]'")
        try:
            import openvino
        except ImportError as error:
            raise BackendError(f"openvino does not import: {_first_line(error)}") from error

        core = openvino.Core()
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            # Where the processor has bfloat16, the default would compute everything in it, and coordinates
            # up to 224 would come in steps of a pixel. Eight-bit layers stay in eight bits.
            "INFERENCE_PRECISION_HINT": "f32",
        }
        try:
            self._model = core.compile_model(str(model), "CPU", config)
        except RuntimeError as error:
            raise BackendError(f"{model.name} does not open on openvino: {_first_line(error)}") from error
        self._request = self._model.create_infer_request()
        self.provider = "OpenVINO " + ",".join(self._model.get_property("EXECUTION_DEVICES"))

    def run(self, batch: Array) -> list[Array]:
        results = self._request.infer([batch])
        return [np.array(results[port]) for port in self._model.outputs]


_OPENERS: dict[str, Callable[[Path, int], Session]] = {
    "cuda": CudaSession,
    "openvino": OpenVinoSession,
    "cpu": lambda model, threads: OrtSession(model, "cpu", threads),
}

BACKENDS: tuple[str, ...] = tuple(_OPENERS)
"""Backends by name."""

_OPENVINO_IS_FASTER_WITH = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})


def auto_order(flags: Collection[str]) -> tuple[str, ...]:
    """Backends in the order in which ``auto`` tries them on a processor with ``flags``, the fastest first.

    OpenVINO has the better eight-bit kernels; without instructions for these it is no faster than ONNX
    Runtime, and slower beside the detector, which runs there.
    """
    if _OPENVINO_IS_FASTER_WITH.isdisjoint(flags):
        return ("cuda", "cpu", "openvino")
    return ("cuda", "openvino", "cpu")


def open_session(model: Path, backend: str = "auto", threads: int = 0) -> Session:
    """Open the ONNX file ``model`` on ``backend``, with ``threads`` (0: one per core, at most 4).

    Raises :class:`BackendError` for an unknown backend and for one that does not open.
    """
    return open_first(lambda _: model, backend, threads).session


class Opened(NamedTuple):
    """A session and the backend that it was opened on."""

    backend: str
    session: Session


def open_first(model_for: Callable[[str], Path], backend: str = "auto", threads: int = 0) -> Opened:
    """As :func:`open_session`, where ``model_for`` names the file that suits a backend best.

    It is asked for the backends that are tried only.
    """
    threads = threads or default_threads()
    if backend != "auto" and backend not in _OPENERS:
        raise BackendError(f"unknown backend {backend!r}: choose one of auto, {', '.join(BACKENDS)}")
    if backend != "auto":
        return Opened(backend, _OPENERS[backend](model_for(backend), threads))
    failures: list[str] = []
    for name in auto_order(cpu_flags()):
        try:
            return Opened(name, _OPENERS[name](model_for(name), threads))
        except BackendError as error:
            log.info("backend %s: %s", name, error)
            failures.append(str(error))
    raise BackendError(f"no backend opens this model: {'; '.join(failures)}")


def default_threads() -> int:
    """One thread per usable core, at most 4: these networks are too small to feed more."""
    return min(usable_cores(), 4)


def _ort_options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ORT_FATAL  # failures arrive as exceptions; stderr stays ours
    # Denormal weights and activations make a small network many times slower.
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    # Detector and landmark model take turns on the same cores: a spinning pool steals from the other.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _require_nvidia_driver() -> None:
    library = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(library)
    except OSError as error:
        raise BackendError(
            f"backend cuda needs an NVIDIA driver, and {library} is not on this computer: use --backend cpu"
        ) from error
    if _ORT_PROVIDERS["cuda"] not in ort.get_available_providers():
        raise BackendError("backend cuda needs onnxruntime-gpu, and a CPU build of onnxruntime is installed")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
