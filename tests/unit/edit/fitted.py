"""What the tests of HiPer and Imagic have in common."""

import numpy as np
import tiny_pipeline

SOURCES = ["a photo of a dog", "a red cat", "a beach"]
TARGETS = ["a photo of a cat", "a red dog", "a red beach"]


def loud(folder):
    """A tiny pipeline on the CPU in which words weigh: in random networks they are hardly heard."""
    import torch

    from likeness.models.load import load_folder, on_device

    pipe = on_device(load_folder(tiny_pipeline.write(folder), "float32"), "cpu")
    with torch.no_grad():
        for name, value in pipe.unet.named_parameters():
            if name.endswith(("attn2.to_v.weight", "attn2.to_out.0.weight")):
                value.mul_(4)
    return pipe


def smooth():
    """Three pictures, 16 px."""
    ramp = np.linspace(0, 255, 16).astype(np.uint8)
    one = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], np.uint8(90)), axis=-1)
    return np.stack([one, one[::-1], 255 - one])


def state(pipe):
    """Every number of the pipeline's networks."""
    parts = {"unet": pipe.unet, "vae": pipe.vae, "text": pipe.text_encoder}
    return {
        f"{part}.{name}": value.clone()
        for part, network in parts.items()
        for name, value in network.state_dict().items()
    }


def same(before, after):
    import torch

    assert before.keys() == after.keys()
    return all(torch.equal(value, after[name]) for name, value in before.items())


def reconstruction(pipe, latents, words):
    """Mean square errors of N pictures at fixed noise levels and noise, computed by hand: N."""
    import torch

    found = []
    with torch.no_grad():
        for level in range(50, 1000, 100):
            noise = torch.randn(latents.shape[1:], generator=torch.Generator().manual_seed(level))
            kept = pipe.scheduler.alphas_cumprod[level]
            x = kept.sqrt() * latents + (1 - kept).sqrt() * noise
            said = pipe.unet(x, level, encoder_hidden_states=words).sample
            wanted = noise.expand_as(x)
            if pipe.scheduler.config.prediction_type == "v_prediction":
                wanted = kept.sqrt() * noise - (1 - kept).sqrt() * latents
            found.append((said - wanted).square().flatten(1).mean(1))
    return torch.stack(found).mean(0)


def dies_at(step, what, monkeypatch):
    """From now on a fitting of this name ends at this step as if it were killed."""
    from likeness.edit import fitting

    plain = fitting.train

    def train(module, loss_of, plan, scratch, name):
        def deadly(now, generator):
            if name == what and now == step:
                raise KeyboardInterrupt
            return loss_of(now, generator)

        return plain(module, deadly, plan, scratch, name)

    monkeypatch.setattr(fitting, "train", train)


def heard(pipe, monkeypatch):
    """A list that grows by the embeddings of each call of a UNet from now on."""
    seen = []
    kind = type(pipe.unet)
    plain = kind.forward

    def forward(self, x, timestep, encoder_hidden_states, **others):
        seen.append(encoder_hidden_states.detach().clone())
        return plain(self, x, timestep, encoder_hidden_states=encoder_hidden_states, **others)

    monkeypatch.setattr(kind, "forward", forward)
    return seen
