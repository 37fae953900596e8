"""What every training of a diffusion model minimises."""

from typing import TYPE_CHECKING

from likeness.models.load import Pipeline

if TYPE_CHECKING:
    import torch


def denoising_errors(
    pipe: Pipeline,
    x: "torch.Tensor",
    noise: "torch.Tensor",
    t: "torch.Tensor",
    context: "torch.Tensor",
    kept: "torch.Tensor",
) -> "torch.Tensor":
    """Mean square errors of the prediction of noise, or velocity, for B latents: B.

    ``kept``: the share of signal at each of the B noise levels ``t``.
    """
    signal = kept.view(-1, 1, 1, 1)
    noisy = signal.sqrt() * x + (1 - signal).sqrt() * noise
    predicted = pipe.unet(noisy, t, encoder_hidden_states=context).sample.float()
    target = noise
    if pipe.scheduler.config.prediction_type == "v_prediction":
        target = signal.sqrt() * noise - (1 - signal).sqrt() * x
    return (predicted - target).pow(2).mean((1, 2, 3))
