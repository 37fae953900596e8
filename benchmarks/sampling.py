"""What sampling costs beside the calls of its network: it shall be little."""

import torch
from common import best_of, report

from likeness.generate.sample import sample_batch
from likeness.models.load import load_folder
from likeness.world.figures.figure import SAMPLING
from likeness.world.ship import WEIGHTS

STEPS, PICTURES = 10, 16


def main() -> None:
    """With guidance each step asks the network about two rows a picture."""
    pipe = load_folder(WEIGHTS / "base", "float32")
    few = SAMPLING.model_copy(update={"num_inference_steps": STEPS})
    rows = torch.randn(2 * PICTURES, 4, 16, 16)
    words = torch.randn(2 * PICTURES, 77, pipe.unet.config.cross_attention_dim)

    def network() -> None:
        with torch.inference_mode():
            for timestep in range(STEPS):
                pipe.unet(rows, timestep, encoder_hidden_states=words)

    def sampling() -> None:
        sample_batch(pipe, ["a photo of a dog"] * PICTURES, range(PICTURES), few)

    report("sampling", "sampling", best_of(sampling), "network alone", best_of(network))


if __name__ == "__main__":
    main()
