"""Train the autoencoder of the small base model, and turn books into latents with it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from likeness.finetune.loop import Plan, train
from likeness.progress import track
from likeness.world.book import Book

if TYPE_CHECKING:
    import torch
    from diffusers import AutoencoderKL

KL_WEIGHT = 1e-3
AT_ONCE = 64  # pictures encoded or decoded together


def train_vae(
    vae: "AutoencoderKL", book: Book, batch: int, plan: Plan, scratch: Path
) -> list[dict[str, float]]:
    """Train an autoencoder in place and scale its latents to unit variance; the curve.

    Loss: L1 on pixels and on their differences to neighbours (which keeps edges), and the KL
    divergence of Kingma and Welling (2014) with a small weight.
    """
    import torch

    device = vae.device
    vae.train().requires_grad_(True)

    def loss_of(step: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        chosen = torch.randint(len(book), (batch,), generator=generator).sort().values
        x = to_tensor(book.pictures[chosen.numpy()]).to(device)
        latent = vae.encode(x).latent_dist
        noise = torch.randn(latent.mean.shape, generator=generator).to(device)
        y = vae.decode(latent.mean + latent.std * noise).sample
        off = (y - x).float()
        edges = (off[..., 1:] - off[..., :-1]).abs().mean()
        edges = edges + (off[..., 1:, :] - off[..., :-1, :]).abs().mean()
        kl = latent.kl().mean() / latent.mean[0].numel()
        pixels = off.abs().mean()
        return {"loss": pixels + edges + KL_WEIGHT * kl, "l1": pixels, "kl": kl}

    curve = train(vae, loss_of, plan, scratch, "autoencoder")
    vae.eval().requires_grad_(False)
    mean, deviation = encode(vae, book.pictures[:2048]).chunk(2, 1)
    spread = (mean.var() + deviation.pow(2).mean()).sqrt()  # of latents drawn from both
    vae.register_to_config(scaling_factor=float(1 / spread))
    return curve


def to_tensor(pictures: np.ndarray) -> "torch.Tensor":
    """N x H x W x 3 uint8 -> N x 3 x H x W float32 in -1..1."""
    import torch

    x = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2)
    return x.float() / 127.5 - 1


def to_pictures(x: "torch.Tensor") -> np.ndarray:
    """N x 3 x H x W in -1..1 -> N x H x W x 3 uint8."""
    pixels = ((x.float().clamp(-1, 1) + 1) * 127.5).round()
    return np.asarray(pixels.permute(0, 2, 3, 1).byte().cpu().numpy())


def encode(vae: "AutoencoderKL", pictures: np.ndarray) -> "torch.Tensor":
    """Means and standard deviations of the latents, N x 2C x h x w float32, unscaled."""
    import torch

    parts = []
    starts = range(0, len(pictures), AT_ONCE)
    with torch.no_grad():
        for first in track(starts, "encoding pictures", len(starts)):
            x = to_tensor(pictures[first : first + AT_ONCE]).to(vae.device)
            latent = vae.encode(x).latent_dist
            parts.append(torch.cat([latent.mean, latent.std], 1).cpu())
    return torch.cat(parts)


def psnr(vae: "AutoencoderKL", pictures: np.ndarray) -> np.ndarray:
    """PSNR of each reconstruction in dB, N; the latents' means are decoded."""
    import torch

    found = []
    with torch.no_grad():
        for first in range(0, len(pictures), AT_ONCE):
            part = pictures[first : first + AT_ONCE]
            x = to_tensor(part).to(vae.device)
            decoded = to_pictures(vae.decode(vae.encode(x).latent_dist.mean).sample)
            error = (decoded.astype(np.float64) - part) ** 2
            found.append(10 * np.log10(255.0**2 / error.mean((1, 2, 3))))
    return np.concatenate(found)
