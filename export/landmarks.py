"""Export of a trained landmark network as one ONNX file with the model contract.

Normalisation, crop pixels and the presence probability are part of the graph. Kernels are stored as float16
and cast back when the graph is loaded, which halves the size; the runtime folds the casts. The network is
rounded to float16 first, so torch and ONNX use the same numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from export.manifest import write_entry
from export.resample import Resample
from tracker.errors import WeightsError
from tracker.geometry import CROP_SIZE
from tracker.inference.backends import open_session
from tracker.types import ImageArray
from train.configs.augmentation import augmentation
from train.data.dataset import FaceCrops, SampleRecipe, from_unit
from train.data.splits import training_faces
from train.errors import RunError
from train.evaluation.quality import calibrate
from train.files import make_folder, replacing
from train.models.fold import fold_normalisation
from train.models.imm import SPECS
from train.models.load import Loaded, load_network
from train.models.quality import Calibration, spread
from train.models.registry import WITHOUT_MAPS
from train.models.upsampling import shuffle_upsampling

Say = Callable[[str], object]

OPSET = 20
LICENCE = "research use: trained on 300-W and WFLW, whose terms apply"
PARITY_PX = 0.01
"""Largest allowed difference from torch of the exported graph, in crop pixels, presence and quality."""


class Contract(nn.Module):
    """A network with the inputs and outputs of :mod:`tracker.inference.landmarker`.

    ``size`` is the crop size in pixels that the network was trained on; if it differs from the contract's,
    crops are resampled inside the graph. Without ``calibration`` there is no quality output.
    """

    def __init__(self, network: nn.Module, size: int, calibration: Calibration | None = None) -> None:
        super().__init__()
        self.network = network
        self.calibration = calibration
        self.resample = Resample(size) if size != CROP_SIZE else nn.Identity()

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs of :meth:`forward`."""
        return ["points", "presence"] + (["quality"] if self.calibration else [])

    def forward(self, crop: Tensor) -> tuple[Tensor, ...]:
        """Return points, presence and, with a calibration, quality of each crop.

        ``crop`` is uint8 ``(N, 1, 224, 224)``; points are ``(N, P, 2)`` in crop pixels, presence is
        ``(N,)``, quality ``(N, P)``.
        """
        output = self.network(self.resample(crop.float()))
        found = (from_unit(output.points, CROP_SIZE), output.presence_logit.sigmoid())
        return (*found, self.calibration.quality(spread(output.maps))) if self.calibration else found


@dataclass(frozen=True)
class Parity:
    """Largest absolute differences between torch and the exported graph over ``crops`` crops."""

    crops: int
    points_px: float
    presence: float
    quality: float | None = None

    @property
    def holds(self) -> bool:
        """True if all differences are at most :data:`PARITY_PX`; false for NaN."""
        return all(apart <= PARITY_PX for apart in (self.points_px, self.presence, self.quality or 0.0))


def write_landmarks(
    checkpoint: Path,
    name: str,
    folder: Path,
    data: Path | None = None,
    config: Path | None = None,
    say: Say | None = None,
) -> Parity:
    """Export the network ``name`` of ``checkpoint``, check parity, and enter it into the manifest.

    The file is ``folder/name.onnx``. Parity is measured on the validation crops of ``data``, or on noise
    without it; without it the model has no quality either. ``config`` is the recipe of the run, by which
    crops are augmented to calibrate quality; None for the model's own. A network whose quality cannot be
    calibrated, such as one of a dry run, is exported without it, and ``say`` is called with the reason.
    Raises :class:`~tracker.errors.WeightsError`, and leaves the folder unchanged, if parity does not hold,
    and without ``say`` :class:`~train.errors.RunError` if quality cannot be calibrated.
    """
    network = load_contract(checkpoint, name, data, config, say)
    make_folder(folder)
    path = folder / f"{name}.onnx"
    with replacing(path) as draft:
        export_onnx(network, draft)
        parity = measure_parity(network, draft, validation_crops(data) if data else noise_crops(32))
        if not parity.holds:
            raise WeightsError(
                f"{name} differs from torch by {parity.points_px:.4f} crop px, {parity.presence:.4f} in "
                f"presence and {parity.quality or 0.0:.4f} in quality; at most {PARITY_PX} is allowed"
            )
    write_entry(folder, name, "landmarks", path.name, LICENCE, {"precision": "fp32"})
    return parity


def validation_crops(data: Path) -> ImageArray:
    """Return the canonical validation crops ``(N, 224, 224)`` of the 300-W training images below ``data``."""
    crops = FaceCrops(training_faces(data)[1], CROP_SIZE)
    return np.stack([crops[i][0][0].numpy() for i in range(len(crops))])


def load_contract(
    checkpoint: Path,
    model: str,
    data: Path | None = None,
    config: Path | None = None,
    say: Say | None = None,
) -> Contract:
    """Load the network ``model`` of ``checkpoint`` (.safetensors), folded, its kernels rounded to float16.

    Its quality is calibrated on the validation faces of ``data``, if given, augmented by the recipe in
    ``config``, or by the model's own; ``say`` is as in :func:`write_landmarks`.

    Batch normalisation is folded into the convolutions before rounding: the exporter would fold it
    afterwards, and the stored kernels would no longer be the rounded ones.

    Raises :class:`~train.errors.RunError` if the file does not hold that network, and
    :class:`~tracker.errors.WeightsError` for a network that does not fit the contract.
    """
    if model in SPECS:
        raise WeightsError(f"{model} does not locate faces for the tracker: use python -m export study")
    if model in WITHOUT_MAPS:
        raise WeightsError(
            f"{model} does not judge presence, which the tracker needs: export another model, and measure "
            "this one with python -m train evaluate"
        )
    loaded = rounded(load_network(model, checkpoint))
    calibration = _calibration(loaded, data, augmentation(model, config), say) if data else None
    return Contract(loaded.network, loaded.size, calibration).eval()


def rounded(loaded: Loaded) -> Loaded:
    """Fold the normalisation of the network of ``loaded`` and round its kernels to float16, in place."""
    network = loaded.network
    fold_normalisation(network)
    shuffle_upsampling(network)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.copy_(parameter.half())
    return Loaded(network, loaded.size)


def _calibration(loaded: Loaded, data: Path, recipe: SampleRecipe, say: Say | None) -> Calibration | None:
    try:
        return calibrate(loaded, data, recipe)
    except RunError as error:
        reason = f"the quality of points cannot be calibrated: {error}"
        if say is None:
            raise RunError(f"{reason}; train the network further") from error
        say(f"{reason}; exported without it")
        return None


def export_onnx(network: Contract, path: Path) -> None:
    """Write ``network`` to ``path`` with any batch size, opset 20, weights inside the file."""
    example = torch.zeros(2, 1, CROP_SIZE, CROP_SIZE, dtype=torch.uint8)
    with warnings.catch_warnings():  # of the exporter about its own parts, which no user can mend
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", r".*\bLeafSpec\b", FutureWarning)
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["crop"],
            output_names=network.outputs,
            dynamic_shapes={"crop": {0: torch.export.Dim("N", min=1, max=1024)}},
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    for value in (*model.graph.node, *model.graph.value_info):
        del value.metadata_props[:]  # stack traces with folder names of the exporting machine
    store_half(model)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def store_half(model: onnx.ModelProto) -> None:
    """Replace each float32 tensor that float16 represents exactly by float16 and a Cast back, in place.

    These are the rounded kernels; all others are kept, so the graph computes the same.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor)
        if not np.array_equal(values, values.astype(np.float16).astype(np.float32)):
            continue
        half = numpy_helper.from_array(values.astype(np.float16), f"{name}_half")
        tensor.CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])


def measure_parity(network: Contract, path: Path, crops: ImageArray, batch: int = 8) -> Parity:
    """Compare torch with ``path`` on ONNX Runtime's CPU over ``crops`` ``(N, 224, 224)`` uint8."""
    session = open_session(path, "cpu")
    largest = np.zeros(len(network.outputs))
    for start in range(0, len(crops), batch):
        chunk = crops[start : start + batch, None]
        with torch.inference_mode():
            expected: Sequence[Tensor] = network(torch.from_numpy(chunk))
        pairs = zip(session.run(chunk), expected, strict=True)
        apart = [float(np.abs(got - wanted.numpy()).max()) for got, wanted in pairs]
        largest = np.maximum(largest, apart)  # unlike max(), keeps NaN
    return Parity(len(crops), *largest.tolist())


def noise_crops(count: int, seed: int = 0, hw: tuple[int, int] = (CROP_SIZE, CROP_SIZE)) -> ImageArray:
    """Return ``(count, *hw)`` uint8 patterns of random contrast, for parity without data."""
    rng = np.random.default_rng(seed)
    contrast = rng.uniform(5, 120, (count, 1, 1))
    noise = rng.standard_normal((count, *hw)) * contrast + rng.uniform(30, 220, (count, 1, 1))
    return noise.clip(0, 255).astype(np.uint8)
