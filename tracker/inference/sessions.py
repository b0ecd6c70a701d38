"""Inference sessions: a model on ONNX Runtime (CPU or CUDA) or on OpenVINO."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tracker.distribution import install_command
from tracker.errors import BackendError
from tracker.system.signals import signal_stack_kept

# Both runtimes report their use to their makers over the network unless that is switched off; ONNX Runtime
# does so on Linux since 1.31. Its variable must be set before the library is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # openvino works without it

import onnxruntime as ort  # noqa: E402

ort.disable_telemetry_events()

Array = npt.NDArray[Any]

SPIN_US = 30
"""Microseconds for which an idle thread waits for the next layer before it sleeps.

Longer gains little on a quiet computer, and without a limit a busy one takes twice as long (``python -m
benchmarks.sessions``).
"""

# Waking a thread takes as long as a small layer, so threads spin between layers: shortly, since other
# programs need the cores too, and sleep after the last layer: two models take turns.
IDLE_THREADS: Mapping[str, str] = MappingProxyType(
    {
        "session.intra_op.allow_spinning": "1",
        "session.intra_op.spin_duration_us": str(SPIN_US),
        "session.force_spinning_stop": "1",
    }
)
"""Options of an ONNX Runtime session for its threads without work."""

_ORT_FATAL = 4
_ORT_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_ORT_PROVIDER_OPTIONS = {
    # The default tries every algorithm at each new batch size, which stalls when another face appears.
    # TF32 would round activations to ten bits.
    "cuda": {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"},
    "cpu": {},
}


class Session(Protocol):
    """A model that is ready to run, also from several threads at once."""

    @property
    def provider(self) -> str:
        """Name that the runtime gives to the device or library that runs the model."""
        ...

    @property
    def prepares_each_shape(self) -> bool:
        """True if the first batch of each size takes longer, because the runtime compiles for it."""
        ...

    def run(self, batch: Array) -> list[Array]:
        """Return the model's outputs, in the order of the graph, for ``batch``, its only input."""
        ...


class OrtSession:
    """A model on ONNX Runtime; raises :class:`BackendError` if ``backend`` does not open."""

    prepares_each_shape = False

    def __init__(self, model: Path, backend: str, threads: int) -> None:
        if backend == "cuda":
            require_nvidia_driver()
        wanted = _ORT_PROVIDERS[backend]
        ort.set_default_logger_severity(_ORT_FATAL)  # the default logger reports on loading a provider
        try:
            provider = (wanted, _ORT_PROVIDER_OPTIONS[backend])
            self._session = ort.InferenceSession(str(model), _ort_options(threads), providers=[provider])
        except Exception as error:  # the errors of the runtime have no narrower base class
            raise BackendError(f"{model.name} does not open on {backend}: {_first_line(error)}") from error
        self.provider = str(self._session.get_providers()[0])
        if self.provider != wanted:  # ONNX Runtime falls back to the CPU without an error
            raise BackendError(
                f"backend {backend} was requested, but ONNX Runtime opened {self.provider}: "
                "check that CUDA and cuDNN match onnxruntime-gpu, or use --backend cpu"
            )
        self._input = self._session.get_inputs()[0].name

    def run(self, batch: Array) -> list[Array]:
        """Run the model; raises :class:`BackendError` if the runtime fails."""
        try:
            outputs = self._infer(batch)
        except Exception as error:  # the errors of the runtime have no narrower base class
            raise BackendError(f"{self.provider} failed while running: {_first_line(error)}") from error
        return [np.asarray(output) for output in outputs]

    def _infer(self, batch: Array) -> Sequence[Any]:
        return self._session.run(None, {self._input: batch})  # type: ignore[no-any-return]


class CudaSession(OrtSession):
    """A model on an NVIDIA GPU; raises :class:`BackendError` where there is none.

    GPU memory for the input is allocated once for each batch shape: a call copies the batch there, runs the
    model and copies the outputs back.
    """

    prepares_each_shape = True

    def __init__(self, model: Path, threads: int) -> None:
        super().__init__(model, "cuda", threads)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._places: dict[tuple[int, ...], Any] = {}
        self._lock = threading.Lock()  # threads share the memory for the input

    def _infer(self, batch: Array) -> Sequence[Any]:
        with self._lock:
            return self._infer_alone(batch)

    def _infer_alone(self, batch: Array) -> Sequence[Any]:
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
    """A model on the OpenVINO runtime; raises :class:`BackendError` where that is not installed."""

    prepares_each_shape = True

    def __init__(self, model: Path, threads: int) -> None:
        if importlib.util.find_spec("openvino") is None:
            raise BackendError(f"backend openvino is not installed: {install_command('openvino')}")
        try:
            core = _openvino_core()
        except ImportError as error:
            raise BackendError(f"openvino does not import: {_first_line(error)}") from error
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            # On processors with bfloat16 the default would compute everything in it, and coordinates up to
            # 224 would come in steps of a pixel. Eight-bit layers stay in eight bits.
            "INFERENCE_PRECISION_HINT": "f32",
        }
        try:
            with signal_stack_kept():  # the plugin for CPUs, loaded here, sets one that is too small
                self._model = core.compile_model(str(model), "CPU", config)
        except RuntimeError as error:
            raise BackendError(f"{model.name} does not open on openvino: {_first_line(error)}") from error
        self._request = self._model.create_infer_request()
        self._lock = threading.Lock()  # the request takes one call at a time
        self.provider = "OpenVINO " + ",".join(self._model.get_property("EXECUTION_DEVICES"))

    def run(self, batch: Array) -> list[Array]:
        """Run the model."""
        try:
            with self._lock:
                results = self._request.infer([batch])
                return [np.array(results[port]) for port in self._model.outputs]
        except RuntimeError as error:
            raise BackendError(f"{self.provider} failed while running: {_first_line(error)}") from error


@functools.cache
def _openvino_core() -> Any:
    """Return OpenVINO's runtime, one for the whole process.

    Each one sets the main thread's alternate signal stack and puts back the previous one when it is freed:
    two that are not freed in reverse order would leave a pointer to freed memory.
    """
    import openvino

    return openvino.Core()


def inspect(model: bytes) -> tuple[list[Any], list[Any], dict[str, str]]:
    """Return inputs and outputs of an ONNX ``model``, as ONNX Runtime describes them, and its metadata.

    Raises :class:`BackendError` if it cannot be opened, also for lack of weights that lie in other files.
    """
    options = _ort_options(threads=1)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    ort.set_default_logger_severity(_ORT_FATAL)
    try:
        session = ort.InferenceSession(model, options, providers=[_ORT_PROVIDERS["cpu"]])
        metadata = session.get_modelmeta().custom_metadata_map
    except Exception as error:  # the errors of the runtime have no narrower base class
        raise BackendError(_first_line(error)) from error
    return session.get_inputs(), session.get_outputs(), metadata


def _ort_options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ORT_FATAL  # failures are raised, and nothing is printed
    # Denormal weights and activations make a small network many times slower.
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    for key, value in IDLE_THREADS.items():
        options.add_session_config_entry(key, value)
    return options


def require_nvidia_driver() -> None:
    """Raise :class:`BackendError` without an NVIDIA driver and a build of ONNX Runtime for it."""
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
