"""What every training of a diffusion model minimises.

Ho et al. 2020, *Denoising Diffusion Probabilistic Models*, arXiv 2006.11239, eq. 14; for velocity
Salimans and Ho 2022, *Progressive Distillation*, arXiv 2202.00512, appendix D.
"""

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

    ``x`` and ``noise``: B x C x h x w, the latents scaled as the network knows them. ``t``: B noise
    levels; ``kept``: the share of signal, 0..1, at each. ``context``: B x tokens x D.
    """
    signal = kept.view(-1, 1, 1, 1)
    noisy = signal.sqrt() * x + (1 - signal).sqrt() * noise
    predicted = pipe.unet(noisy, t, encoder_hidden_states=context).sample.float()
    target = noise
    if pipe.scheduler.config.prediction_type == "v_prediction":
        target = signal.sqrt() * noise - (1 - signal).sqrt() * x
    return (predicted - target).pow(2).mean((1, 2, 3))
