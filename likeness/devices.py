"""Where tensors live."""

import os

from likeness.errors import BadInput


def best_device() -> str:
    """``cuda`` when there is a GPU, else ``cpu``.

    Raises ``BadInput`` where a GPU is set aside for this process that torch cannot use: what takes
    minutes there takes days on a CPU.
    """
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if named := os.environ.get("CUDA_VISIBLE_DEVICES", "").strip():
        raise BadInput(
            f"GPU {named} is set aside (CUDA_VISIBLE_DEVICES) and torch {torch.__version__} cannot "
            "use it: install a build of torch that fits the driver (pytorch.org says which), or "
            "set CUDA_VISIBLE_DEVICES to nothing to work on the CPU"
        )
    return "cpu"
