"""Which size of the small base model learns a name best in the time there is?

python benchmarks/base_sizes.py

Networks of three sizes learn the same portraits of named people for the same minutes, from random
weights and the text encoder that ships. Of pictures never shown, behind fixed levels of noise:

- ``text_gain``: 1 - error with "a photo of NAME" / error without words
- ``name_gain``: 1 - error with "a photo of NAME" / error with the name of another of the same sex;
  zero where a name is only another word for somebody

The network that ships, after all of its training, is measured in the same way.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from common import write_rows
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTokenizer

from likeness.finetune.loop import Plan
from likeness.world.book import Page, write_book
from likeness.world.description import Identity
from likeness.world.learn.architecture import new_scheduler, new_unet
from likeness.world.learn.base import train_stage
from likeness.world.learn.recipe import PORTRAITS
from likeness.world.learn.vae import encode
from likeness.world.names import NAMED_PEOPLE, people_names
from likeness.world.sample import base_identity
from likeness.world.ship import WEIGHTS

SIZES = {"a third": (32, 64, 96), "as it ships": (64, 128, 160), "more than double": (96, 192, 256)}
MINUTES = 8
PARTS = 4  # measured so often on the way
SHOWN, UNSEEN = 12_000, 192
LEVELS = (100, 300, 500, 700)
NAMED = PORTRAITS.model_copy(update={"named": 1.0})
Row = dict[str, object]


def main() -> None:
    """A row for each size and part of the way, and one for the network that ships."""
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for name in SIZES for row in learned(name, Path(folder))]
        shipped = UNet2DConditionModel.from_pretrained(WEIGHTS / "base/unet").float().eval()
        last = {"size": "shipped", "steps": "", "seconds": ""}
        rows.append(last | gains(shipped, text_encoder(), Path(folder)))
    write_rows("base_sizes", rows)


def learned(name: str, folder: Path) -> list[Row]:
    """Train one size for its minutes; what it knows after each part of them."""
    steps = int(60 * MINUTES / seconds_per_step(name, folder) / PARTS) * PARTS
    rows: list[Row] = []

    def measure(unet: UNet2DConditionModel, text: CLIPTextModel, step: int, spent: float) -> None:
        one: Row = {"size": name, "steps": step, "seconds": round(spent)}
        rows.append(one | gains(unet, text, folder))
        print(rows[-1], flush=True)

    train(name, steps, steps // PARTS, folder, measure)
    return rows


def seconds_per_step(name: str, folder: Path) -> float:
    """Of steps five to ten: the first ones are slow."""
    seen: list[float] = []
    train(name, 10, 5, folder, lambda *_: seen.append(time.perf_counter()))
    return (seen[1] - seen[0]) / 5


def train(
    name: str, steps: int, between: int, folder: Path, measure: Callable[..., object]
) -> None:
    """The same pictures, chance and rate for every size; ``measure`` sees averaged weights."""
    latents, pages = pictures(folder, "base-sizes", SHOWN)
    torch.manual_seed(0)
    unet, text = new_unet(SIZES[name]), text_encoder().requires_grad_(True)
    plan = Plan(
        steps=steps,
        checkpoint_steps=between,
        learning_rate=1e-3,
        ema=0.98,
        weight_decay=1e-3,
        precision="bfloat16",
        optimizer="muon",
    )

    def seen(step: int, curve: list[dict[str, float]]) -> None:
        measure(unet, text, step, curve[-1]["seconds"])

    with tempfile.TemporaryDirectory() as scratch:
        train_stage(
            *(unet, text, CLIPTokenizer.from_pretrained(WEIGHTS / "base/tokenizer")),
            *(latents, pages, plan),
            *(1.0, 0.7, Path(scratch), f"{name}, {steps} steps", seen),
        )


def pictures(folder: Path, source: str, count: int) -> tuple[torch.Tensor, list[Page]]:
    """Latents of named people's portraits, drawn and encoded once, and what they show."""
    book = write_book(folder / source, source, count, NAMED)
    file = folder / f"{source}.safetensors"
    if not file.exists():
        vae = AutoencoderKL.from_pretrained(WEIGHTS / "base/vae").float().eval()
        scaled = encode(vae, book.pictures) * vae.config.scaling_factor
        save_file({"latents": scaled.half().contiguous()}, file)
    return load_file(file)["latents"], book.pages


def text_encoder() -> CLIPTextModel:
    """The one that ships: it knows who bears a name."""
    return CLIPTextModel.from_pretrained(WEIGHTS / "base/text_encoder").eval()


@torch.no_grad()
def gains(unet: UNet2DConditionModel, text: CLIPTextModel, folder: Path) -> Row:
    """What words and names take off the error on pictures never shown."""
    latents, pages = pictures(folder, "base-sizes-unseen", UNSEEN)
    texts = {"own": [], "other": [], "none": [""] * len(pages)}
    for page in pages:
        who = page.description.person.identity
        texts["own"].append(f"a photo of {who.name}")
        texts["other"].append(f"a photo of {_another(who)}")
    error = {which: _error(unet, text, latents, said) for which, said in texts.items()}
    return {
        "parameters": sum(part.numel() for part in unet.parameters()),
        "error": round(error["own"], 4),
        "text_gain": round(1 - error["own"] / error["none"], 4),
        "name_gain": round(1 - error["own"] / error["other"], 4),
    }


def _another(who: Identity) -> str:
    """The next name, by number, of somebody of the same sex."""
    first = people_names().index(who.name)
    turn = [base_identity((first + k) % NAMED_PEOPLE) for k in range(1, 20)]
    return next(one.name for one in turn if one.sex == who.sex)


def _error(
    unet: UNet2DConditionModel, text: CLIPTextModel, latents: torch.Tensor, said: list[str]
) -> float:
    """Mean square error of the velocity over all levels, behind the same noise every time."""
    tokenizer = CLIPTokenizer.from_pretrained(WEIGHTS / "base/tokenizer")
    words = tokenizer(said, padding="max_length", truncation=True, return_tensors="pt")
    context = text.eval()(words.input_ids).last_hidden_state
    kept, errors = new_scheduler().alphas_cumprod, []
    x = latents.float().chunk(2, 1)[0]
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    for level in LEVELS:
        signal = kept[level]
        noisy = signal.sqrt() * x + (1 - signal).sqrt() * noise
        velocity = signal.sqrt() * noise - (1 - signal).sqrt() * x
        predicted = unet.eval()(noisy, level, encoder_hidden_states=context).sample
        errors.append((predicted - velocity).pow(2).mean())
    unet.train(), text.train()
    return float(torch.stack(errors).mean())


if __name__ == "__main__":
    main()
