"""From books to the folder of the small base model: autoencoder, then stage after stage."""

import copy
import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.devices import best_device
from likeness.models.place import forget_place
from likeness.world.book import Book, Page, write_book
from likeness.world.grammar import vocabulary
from likeness.world.learn.architecture import (
    WIDE,
    new_scheduler,
    new_text_encoder,
    new_unet,
    new_vae,
    read_tokenizer,
)
from likeness.world.learn.base import train_stage
from likeness.world.learn.latents import shorten
from likeness.world.learn.recipe import BaseRecipe, Stage
from likeness.world.learn.vae import encode, train_vae
from likeness.world.learn.words import learn_words
from likeness.world.sample import Mixture
from likeness.world.tokenizer import write_tokenizer

if TYPE_CHECKING:
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

log = logging.getLogger("likeness")
SHARD = "14MB"  # with its header no file of the package is larger than 15
DONE = "done.json"  # written last: the curve of what lies beside it
SHORT = "autoencoder"  # as it ships
WORDS = "words"
Curves = dict[str, list[dict[str, float]]]


def make_base(
    recipe: BaseRecipe, output: Path, scratch: Path, shipped: Path | None = None
) -> Curves:
    """Train everything and write ``output``, a ``StableDiffusionPipeline`` folder; the curves.

    Whatever is done lies in ``scratch``: a run that was killed goes on from there. Each stage
    starts with a fresh optimiser from the folder that the stage before has written. ``shipped`` is
    the folder of a base model: as far as it was made by the same recipe, it counts as done.
    """
    curves: Curves = {}
    write_tokenizer(vocabulary(), scratch / "tokenizer")
    if shipped is not None:
        take_over(shipped, recipe, scratch)
    vae = _autoencoder(recipe, scratch, curves)
    tokenizer = read_tokenizer(scratch / "tokenizer")
    unet, text_encoder = _unet(recipe), _text_encoder(tokenizer, recipe, scratch, curves)
    for number, stage in enumerate(recipe.stages):
        folder = scratch / "stages" / stage.name
        if not (folder / DONE).exists():
            latents, pages = _mixed(vae, recipe.stages[: number + 1], scratch)
            curve = train_stage(
                unet,
                text_encoder,
                tokenizer,
                latents,
                pages,
                stage.plan,
                stage.power,
                stage.full,
                folder,
                stage.name,
            )
            write_pipeline(folder / "pipeline", vae, unet, text_encoder, tokenizer)
            (folder / DONE).write_text(json.dumps(curve))
        if (folder / "pipeline").exists():
            # From what was written, halves and all: a run that starts here does the same.
            unet, text_encoder = _read(folder / "pipeline")
        curves[stage.name] = json.loads((folder / DONE).read_text())
    write_pipeline(output, vae, unet, text_encoder, tokenizer)
    return curves


def take_over(shipped: Path, recipe: BaseRecipe, scratch: Path) -> list[str]:
    """Count as done what a shipped base model was made by, if ``recipe`` begins alike.

    Returns the names of what was taken over. Nothing is, if a word was added since: the tokens of
    all others may have moved.
    """
    note = shipped / "training.json"
    if not note.exists() or (scratch / "autoencoder-1" / DONE).exists():
        return []
    theirs = BaseRecipe.model_validate(json.loads(note.read_text())["params"]["recipe"])
    curves: Curves = json.loads((shipped / "curve.json").read_text())
    if theirs.vae_pictures != recipe.vae_pictures or theirs.vae_stages != recipe.vae_stages:
        return []
    taken = [f"autoencoder-{number}" for number in range(1, len(recipe.vae_stages) + 1)]
    # the one that is looked for comes last: what was interrupted is taken over again
    _take(shipped / "vae", scratch / SHORT, [])
    for name in reversed(taken):
        _take(None, scratch / name, curves[name])
    taken.append(SHORT)
    if _begins_alike(theirs, recipe, shipped, scratch):
        _take(None, scratch / WORDS, curves[WORDS])
        taken.append(WORDS)
        for stage in theirs.stages:
            folder = scratch / "stages" / stage.name
            last = stage is theirs.stages[-1]
            _take(shipped if last else None, folder, curves[stage.name], inside="pipeline")
            taken.append(stage.name)
    log.info("taken over from %s: %s", shipped, ", ".join(taken))
    return taken


def _begins_alike(theirs: BaseRecipe, ours: BaseRecipe, shipped: Path, scratch: Path) -> bool:
    """Whether our stages begin with theirs, and mean the same words by the same tokens."""
    if (theirs.words, theirs.words_from) != (ours.words, ours.words_from):
        return False
    if theirs.stages != ours.stages[: len(theirs.stages)]:
        return False
    one, other = (read_tokenizer(at / "tokenizer").get_vocab() for at in (shipped, scratch))
    return one == other


def _take(
    source: Path | None, folder: Path, curve: list[dict[str, float]], inside: str = "."
) -> None:
    """Copy a finished part and say that it is done."""
    folder.mkdir(parents=True, exist_ok=True)
    if source is not None:
        shutil.copytree(source, folder / inside, dirs_exist_ok=True)
    (folder / DONE).write_text(json.dumps(curve))


def _autoencoder(recipe: BaseRecipe, scratch: Path, curves: Curves) -> "AutoencoderKL":
    """Every stage goes on from the halves that the stage before has written."""
    import torch
    from diffusers import AutoencoderKL

    torch.manual_seed(recipe.vae_stages[0].plan.seed)
    vae = new_vae(WIDE)
    for number, stage in enumerate(recipe.vae_stages, 1):
        name = f"autoencoder-{number}"
        folder = scratch / name
        if not (folder / DONE).exists():
            vae = vae.to(best_device())
            curve = train_vae(vae, _eyes(recipe, scratch), stage.batch, stage.plan, folder)
            _write_halves(vae, folder)
            (folder / DONE).write_text(json.dumps(curve))
        if (folder / "config.json").exists():
            vae = AutoencoderKL.from_pretrained(folder).float()
        curves[name] = json.loads((folder / DONE).read_text())
    short = scratch / SHORT
    if not (short / DONE).exists():
        _write_halves(shorten(vae.to(best_device()), _eyes(recipe, scratch).pictures), short)
        (short / DONE).write_text("[]")
    vae = AutoencoderKL.from_pretrained(short).float()
    return vae.to(best_device()).requires_grad_(False).eval()


def _eyes(recipe: BaseRecipe, scratch: Path) -> Book:
    """Pictures of all kinds, for the autoencoder."""
    return write_book(scratch / "books/eyes", "base-eyes", recipe.vae_pictures, Mixture())


def _write_halves(vae: "AutoencoderKL", folder: Path) -> None:
    import torch

    copy.deepcopy(vae).to("cpu", torch.float16).save_pretrained(folder)


def _unet(recipe: BaseRecipe) -> "UNet2DConditionModel":
    import torch

    torch.manual_seed(recipe.stages[0].plan.seed)
    return new_unet().to(best_device())


def _text_encoder(
    tokenizer: "CLIPTokenizer", recipe: BaseRecipe, scratch: Path, curves: Curves
) -> "CLIPTextModel":
    """One that knows its words."""
    import torch
    from transformers import CLIPTextModel

    folder = scratch / WORDS
    torch.manual_seed(recipe.words.seed)
    text_encoder = new_text_encoder(tokenizer).to(best_device())
    if not (folder / DONE).exists():
        curve = learn_words(text_encoder, tokenizer, recipe.words_from, recipe.words, folder)
        text_encoder.save_pretrained(folder / "text_encoder")
        (folder / DONE).write_text(json.dumps(curve))
    if (folder / "text_encoder").exists():
        text_encoder = CLIPTextModel.from_pretrained(folder / "text_encoder").to(best_device())
    curves[WORDS] = json.loads((folder / DONE).read_text())
    return text_encoder


def _latents(
    vae: "AutoencoderKL", stage: Stage, scratch: Path
) -> "tuple[torch.Tensor, list[Page]]":
    """Scaled latents of the stage's book, float16, and its pages."""
    import torch
    from safetensors.torch import load_file, save_file

    book = write_book(
        scratch / "books" / stage.name, f"base-{stage.name}", stage.count, stage.mixture
    )
    file = scratch / "latents" / f"{stage.name}.safetensors"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        scaled = encode(vae, book.pictures) * vae.config.scaling_factor
        save_file({"latents": scaled.to(torch.float16).contiguous()}, file)
    return load_file(file)["latents"], book.pages


def _mixed(
    vae: "AutoencoderKL", stages: Sequence[Stage], scratch: Path
) -> "tuple[torch.Tensor, list[Page]]":
    """Pictures of the last of these stages, and as many of the earlier ones as it rehearses."""
    import torch

    *earlier, stage = stages
    latents, pages = _latents(vae, stage, scratch)
    wanted = round(stage.rehearse * len(pages))
    if wanted == 0 or not earlier:
        return latents, pages
    shelf = [_latents(vae, one, scratch) for one in earlier]
    older = torch.cat([part for part, _ in shelf])
    older_pages = [page for _, part in shelf for page in part]
    rng = np.random.default_rng(stage.plan.seed)
    kept = rng.choice(len(older_pages), min(wanted, len(older_pages)), replace=False)
    return torch.cat([latents, older[kept]]), [*pages, *(older_pages[i] for i in kept)]


def _read(folder: Path) -> "tuple[UNet2DConditionModel, CLIPTextModel]":
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextModel

    unet = UNet2DConditionModel.from_pretrained(folder / "unet").float().to(best_device())
    return unet, CLIPTextModel.from_pretrained(folder / "text_encoder").to(best_device())


def write_pipeline(folder: Path, vae: Any, unet: Any, text_encoder: Any, tokenizer: Any) -> None:
    """A folder that stock diffusers loads: UNet and VAE in half, the text encoder in full."""
    import torch
    from diffusers import StableDiffusionPipeline

    pipe = StableDiffusionPipeline(
        vae=copy.deepcopy(vae).to("cpu", torch.float16),
        unet=copy.deepcopy(unet).to("cpu", torch.float16),
        text_encoder=copy.deepcopy(text_encoder).cpu(),
        tokenizer=tokenizer,
        scheduler=new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.save_pretrained(folder, max_shard_size=SHARD)
    forget_place(folder)
    # vocab.json and merges.txt: what older readers of CLIP's tokenizers look for.
    tokenizer.backend_tokenizer.model.save(str(folder / "tokenizer"))
