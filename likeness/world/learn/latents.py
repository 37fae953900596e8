"""The latents that diffusion learns: few, and an error in them costs what the picture pays."""

from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.world.learn.architecture import CHANNELS, new_vae
from likeness.world.learn.vae import encode

if TYPE_CHECKING:
    import torch
    from diffusers import AutoencoderKL

LOOKED_AT = 1024  # pictures of which latents are encoded
PROBED = 64  # of them, how many are decoded with small errors
ERROR = 0.1  # of a latent, against its spread of about 1
# Of the latent that varies most; the others vary less, as the picture does along them. Far above,
# the noisiest level of the schedule would still show which picture is meant.
SPREAD = 1.2


def shorten(wide: "AutoencoderKL", pictures: np.ndarray) -> "AutoencoderKL":
    """The same autoencoder with ``CHANNELS`` latents a place, found in closed form.

    An autoencoder fills the latents it does not need with patterns that its decoder hardly reads:
    of eight, four cost 0.02 dB of 25 to leave out, and to a model of the latents they are noise.
    What a small error costs is G = E[J^T J], J the decoder's Jacobian (estimated with the same
    white noise in one latent after the other, over places and pictures). Seen through G^(1/2) all
    errors cost alike; along the principal axes there, those with most variance are kept. ``wide``
    stays as it is. ``pictures``: N x S x S x 3 uint8, N at least 2.
    """
    import torch

    mean, deviation = encode(wide, pictures[:LOOKED_AT]).chunk(2, 1)
    centre = mean.mean((0, 2, 3))
    root = _root(_cost(wide, mean[:PROBED]))
    seen = torch.einsum("kc,nchw->nkhw", root, mean - centre.view(1, -1, 1, 1))
    flat = seen.movedim(1, 0).flatten(1)
    variance, axes = torch.linalg.eigh(flat @ flat.T / flat.shape[1])
    turned = axes.flip(1).T @ root * (SPREAD / variance[-1].sqrt())
    back = torch.linalg.inv(turned)[:, :CHANNELS]
    turned = turned[:CHANNELS]
    spread = torch.einsum("kc,nchw->k", turned**2, deviation**2) / deviation[:, 0].numel()
    return _folded(wide, turned, back, centre, spread)


def _cost(vae: "AutoencoderKL", latents: "torch.Tensor") -> "torch.Tensor":
    """C x C: squared error of the picture for each two small errors of latents, per place."""
    import torch

    channels = latents.shape[1]
    cost = torch.zeros(channels, channels)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for part in latents.to(vae.device).split(16):
            shape = (len(part), 1, *part.shape[2:])
            noise = ERROR * torch.randn(shape, generator=generator).to(part)
            right = vae.decode(part).sample
            moved = [
                vae.decode(part + noise * one.view(1, -1, 1, 1)).sample - right
                for one in torch.eye(channels, device=part.device)
            ]
            off = torch.stack(moved).flatten(1).cpu() / ERROR
            cost += off @ off.T
    return cost / latents[:, 0].numel()


def _root(matrix: "torch.Tensor") -> "torch.Tensor":
    """The symmetric square root of a symmetric matrix, which can be inverted."""
    import torch

    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp(min=1e-6 * values[-1]).sqrt()) @ vectors.T


def _folded(
    wide: "AutoencoderKL",
    turned: "torch.Tensor",
    back: "torch.Tensor",
    centre: "torch.Tensor",
    variance: "torch.Tensor",
) -> "AutoencoderKL":
    """An autoencoder whose first and last convolutions by the latents hold the turn as well.

    ``turned`` k x C and ``back`` C x k; ``variance`` k, of the posterior, which is the same at
    every place. At the border, around which the decoder's first convolution sees zeros, it misses
    the part of the centre that was left out.
    """
    import torch

    short = new_vae(CHANNELS).to(wide.device)
    held = {name: value for name, value in wide.state_dict().items() if name not in _BY_THE_LATENTS}
    short.load_state_dict(held, strict=False)
    channels, few = len(centre), len(turned)
    device = wide.device
    turned, back, centre = turned.to(device), back.to(device), centre.to(device)
    with torch.no_grad():
        last, quant = wide.encoder.conv_out, wide.quant_conv
        to_mean = turned @ quant.weight[:channels, :, 0, 0]
        offset = turned @ (quant.bias[:channels] - centre)
        conv = short.encoder.conv_out
        conv.weight.zero_()
        conv.weight[:few] = torch.einsum("kc,cixy->kixy", to_mean, last.weight)
        conv.bias[:few] = to_mean @ last.bias + offset
        conv.bias[few:] = variance.log()
        _do_nothing(short.quant_conv)
        first, post = wide.decoder.conv_in, wide.post_quant_conv
        from_latents = post.weight[:, :, 0, 0]
        middle = from_latents @ centre + post.bias
        from_few = from_latents @ back
        kept = torch.linalg.lstsq(from_few, middle[:, None]).solution[:, 0]
        conv = short.decoder.conv_in
        conv.weight.copy_(torch.einsum("ocxy,ck->okxy", first.weight, from_few))
        conv.bias.copy_(first.bias + first.weight.sum((2, 3)) @ (middle - from_few @ kept))
        _do_nothing(short.post_quant_conv)
        short.post_quant_conv.bias.copy_(kept)
    short.register_to_config(scaling_factor=1.0)
    return short.eval().requires_grad_(False)


_BY_THE_LATENTS = {
    f"{layer}.{part}"
    for layer in ("encoder.conv_out", "quant_conv", "post_quant_conv", "decoder.conv_in")
    for part in ("weight", "bias")
}


def _do_nothing(conv: Any) -> None:
    """Make a 1 x 1 convolution the identity."""
    import torch

    torch.nn.init.dirac_(conv.weight)
    conv.bias.zero_()
