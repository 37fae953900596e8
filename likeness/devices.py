"""Where tensors live."""

import os
from itertools import takewhile

from likeness.errors import BadInput


def visible_gpus() -> tuple[str, ...] | None:
    """The GPUs that CUDA_VISIBLE_DEVICES names; None where it is not set.

    As CUDA reads it, which stops at the first that is none: ``-1``, or Slurm's ``NoDevFiles``.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return None
    indices = [index.strip() for index in named.split(",")]
    return tuple(takewhile(lambda index: index not in ("", "-1", "NoDevFiles"), indices))


def best_device() -> str:
    """``cuda`` when there is a GPU, else ``cpu``.

    Raises ``BadInput`` where a GPU is set aside for this process that torch cannot use: what takes
    minutes there takes days on a CPU.
    """
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if named := visible_gpus():
        raise BadInput(
            f"GPU {', '.join(named)} is set aside (CUDA_VISIBLE_DEVICES) and torch "
            f"{torch.__version__} cannot use it: install a build of torch that fits the driver "
            "(pytorch.org says which), or set CUDA_VISIBLE_DEVICES to nothing to work on the CPU"
        )
    return "cpu"
