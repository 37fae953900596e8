"""Weights of DeepFace's smallest recogniser, drawn here, in the real layout."""

from pathlib import Path


def write_deepid(home: Path) -> None:
    """Below ``home``, where DeepFace looks with DEEPFACE_HOME; they tell nobody, always alike."""
    import torch
    from deepface.models.facial_recognition.pytorch.DeepID import DeepIdNet

    folder = home / ".deepface" / "weights"
    folder.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DeepIdNet()
    with torch.no_grad():
        # without offsets, and stronger: else all faces would look alike
        for name, value in network.named_parameters():
            value.mul_(3.0 if name.endswith("weight") else 0.0)
    torch.save(network.state_dict(), folder / "deepid_weights.pth")
