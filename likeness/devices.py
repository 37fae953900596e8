"""Where tensors live."""


def best_device() -> str:
    """``cuda`` when there is a GPU, else ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
