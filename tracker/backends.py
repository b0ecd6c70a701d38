"""Open an exported model on an inference backend, and prove which one was got.

``cpu`` and ``cuda`` run on ONNX Runtime, ``openvino`` on the OpenVINO runtime where it is
installed. A backend that is asked for by name is what you get, or a :class:`BackendError`;
``auto`` takes the first of :data:`BACKENDS` that really opens and :attr:`Session.provider` says which.
"""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tracker.errors import BackendError
from tracker.machine import usable_cores

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


class Session(Protocol):
    """A model that is ready to run: one batch in, its outputs out, in the graph's order."""

    @property
    def provider(self) -> str:
        """What really runs the model, as the runtime itself names it."""
        ...

    def run(self, batch: Array) -> list[Array]:
        """Feed ``batch`` to the model's only input."""
        ...


class OrtSession:
    """A model on ONNX Runtime. Raises :class:`BackendError` if ``backend`` is not what opens."""

    def __init__(self, model: Path, backend: str, threads: int) -> None:
        if backend == "cuda":
            _require_nvidia_driver()
        wanted = _ORT_PROVIDERS[backend]
        ort.set_default_logger_severity(_ORT_FATAL)  # loading a provider logs here, not in the session
        try:
            self._session = ort.InferenceSession(str(model), _ort_options(threads), providers=[wanted])
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
            outputs = self._session.run(None, {self._input: batch})
        except Exception as error:  # ORT raises classes that share no other base
            raise BackendError(f"{self.provider} failed while running: {_first_line(error)}") from error
        return [np.asarray(output) for output in outputs]


class OpenVinoSession:
    """A model on the OpenVINO runtime. Raises :class:`BackendError` where that is not installed."""

    def __init__(self, model: Path, threads: int) -> None:
        if importlib.util.find_spec("openvino") is None:
            raise BackendError("backend openvino is not installed: pip install 'tracker[openvino]'")
        try:
            import openvino
        except ImportError as error:
            raise BackendError(f"openvino does not import: {_first_line(error)}") from error

        core = openvino.Core()
        config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
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
    "cuda": lambda model, threads: OrtSession(model, "cuda", threads),
    "openvino": OpenVinoSession,
    "cpu": lambda model, threads: OrtSession(model, "cpu", threads),
}

BACKENDS: tuple[str, ...] = tuple(_OPENERS)
"""Backends in the order in which ``auto`` tries them."""


def open_session(model: Path, backend: str = "auto", threads: int = 0) -> Session:
    """Open the ONNX file ``model`` on ``backend``, with ``threads`` (0: one per core, at most 4).

    Raises :class:`BackendError` for an unknown backend and for one that does not open.
    """
    threads = threads or default_threads()
    if backend == "auto":
        return _first_that_opens(model, threads)
    if backend not in _OPENERS:
        raise BackendError(f"unknown backend {backend!r}: choose one of auto, {', '.join(BACKENDS)}")
    return _OPENERS[backend](model, threads)


def default_threads() -> int:
    """One thread per usable core, at most 4: these networks are too small to feed more."""
    return min(usable_cores(), 4)


def _first_that_opens(model: Path, threads: int) -> Session:
    failures: list[str] = []
    for name, opener in _OPENERS.items():
        try:
            session = opener(model, threads)
        except BackendError as error:
            log.info("backend %s: %s", name, error)
            failures.append(str(error))
        else:
            return session
    raise BackendError(f"no backend opens {model.name}: {'; '.join(failures)}")


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
