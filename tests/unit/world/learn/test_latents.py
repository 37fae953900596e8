"""The latents that are kept: what they are, and that nothing else of the autoencoder changes."""

import numpy as np
import pytest
import torch

from likeness.world.book import write_book
from likeness.world.learn import latents
from likeness.world.learn.architecture import CHANNELS, WIDE, new_vae
from likeness.world.learn.latents import SPREAD, shorten
from likeness.world.learn.vae import encode, to_tensor
from likeness.world.sample import Mixture


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book") / "eyes"
    return np.asarray(write_book(folder, "test-latents", 24, Mixture()).pictures)


def wide_of_rank(rank):
    """Random; all its latents are mixtures of so few, and its decoder reads no more."""
    torch.manual_seed(3)
    vae = new_vae(WIDE).eval()
    mix = torch.linalg.qr(torch.randn(WIDE, WIDE)).Q[:, :rank]
    with torch.no_grad():
        onto = (mix @ mix.T)[:, :, None, None]
        post = vae.post_quant_conv.weight
        post.copy_(post[:, :, 0, 0].matmul(mix @ mix.T)[:, :, None, None])
        mean = vae.quant_conv.weight[:WIDE, :, 0, 0]
        vae.quant_conv.weight[:WIDE] = onto[:, :, 0, 0].matmul(mean)[:, :, None, None] * 30
        vae.quant_conv.bias[:WIDE] = 0.0
        vae.post_quant_conv.bias.zero_()
    return vae


def decoded(vae, pictures):
    with torch.no_grad():
        return vae.decode(vae.encode(to_tensor(pictures)).latent_dist.mean).sample


def test_what_the_decoder_does_not_read_is_left_out_without_loss(pictures):
    wide = wide_of_rank(CHANNELS)
    before = {name: value.clone() for name, value in wide.state_dict().items()}
    short = shorten(wide, pictures)
    whole, some = decoded(wide, pictures), decoded(short, pictures)
    assert float((whole - some).abs().max()) < 1e-3 * float(whole.std())
    assert all(torch.equal(before[name], value) for name, value in wide.state_dict().items())


def test_axes_are_uncorrelated_and_in_the_order_of_their_variance(pictures):
    short = shorten(wide_of_rank(6), pictures)
    mean = encode(short, pictures).chunk(2, 1)[0]
    assert mean.shape == (24, CHANNELS, 16, 16)
    flat = mean.movedim(1, 0).flatten(1)
    variance = flat @ flat.T / flat.shape[1]
    off = variance - torch.diag(variance.diag())
    assert float(off.abs().max()) < 0.02
    spread = variance.diag().sqrt()
    assert float(spread[0]) == pytest.approx(SPREAD, rel=0.01)
    assert (spread.diff() <= 0).all()


def test_an_error_costs_the_same_along_every_axis(pictures):
    short = shorten(wide_of_rank(CHANNELS), pictures)
    mean = encode(short, pictures).chunk(2, 1)[0]
    cost = latents._cost(short, mean)
    across = cost - torch.diag(cost.diag())
    assert float(across.abs().max()) < 0.1 * float(cost.diag().mean())
    assert float(cost.diag().max() / cost.diag().min()) < 1.2
