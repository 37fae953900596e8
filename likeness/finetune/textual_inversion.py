"""Textual Inversion (Gal et al. 2022, arXiv 2208.01618): a new word, all networks as they are."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.errors import BadInput
from likeness.finetune.attention import plain_attention_on_cpu
from likeness.finetune.cache import cached_latents, conditions_of
from likeness.finetune.checkpoints import Checkpoints, Judge
from likeness.finetune.dreambooth import TrainedModel, draw
from likeness.finetune.loop import LossOf, train
from likeness.finetune.objective import denoising_errors
from likeness.finetune.ti_recipe import TextualInversionRecipe
from likeness.models.learned_word import EMBEDS, Word, add_word, write_word
from likeness.models.load import Pipeline

if TYPE_CHECKING:
    import torch


def textual_inversion(
    pipe: Pipeline,
    images: np.ndarray,
    recipe: TextualInversionRecipe,
    scratch: Path,
    judge: Judge | None = None,
) -> TrainedModel:
    """Teach ``pipe`` a word, in place, from N x S x S x 3 uint8 pictures.

    The answer's folder holds ``learned_embeds.safetensors`` of the best checkpoint
    (``best_checkpoint``); the pipe knows the word as it was at the last. Rows of the curve have
    ``norm``, the mean length of the word's vectors: beside ``vocabulary_norm`` it shows when a
    learning rate is too high. A killed run goes on in ``scratch`` and ends with the vectors of one
    that was not killed, the same bit for bit on a CPU. Raises BadInput for SDXL, for a word that
    the model knows, for templates too long to be read, and when memory runs out.
    """
    import torch

    if not len(images):
        raise BadInput("there is no picture to learn from: give at least one")
    try:
        return _learned(pipe, images, recipe, scratch, judge)
    except torch.OutOfMemoryError as error:
        raise BadInput(
            f"a batch of {recipe.batch} does not fit into the GPU's memory: lower batch and raise "
            "gradient_accumulation_steps"
        ) from error


def _learned(
    pipe: Pipeline,
    images: np.ndarray,
    recipe: TextualInversionRecipe,
    scratch: Path,
    judge: Judge | None,
) -> TrainedModel:
    import torch

    for part in (pipe.unet, pipe.text_encoder, pipe.vae):
        part.requires_grad_(False).eval()
    first = Word(recipe.placeholder_token, first_vectors(pipe, recipe))
    ids = add_word(pipe, first)
    prompts = readable_prompts(pipe, recipe.sentences, ids)
    latents = cached_latents(pipe.vae, images, recipe.flip, scratch / "latents.safetensors")
    embedding = pipe.text_encoder.get_input_embeddings()
    start = first.vectors.to(embedding.weight.device).clone()
    vectors = torch.nn.Embedding.from_pretrained(start, freeze=False)
    checkpoints = Checkpoints(
        pipe,
        recipe.judged,
        images.shape[1],
        scratch / "checkpoints",
        judge,
        lambda folder: write_word(Word(first.token, vectors.weight), folder / EMBEDS),
    )
    loss_of = loss_on_templates(pipe, latents, prompts, vectors, recipe)
    plain = plain_attention_on_cpu(pipe.unet, pipe.text_encoder)
    with looked_up(embedding, ids[0], vectors), plain:
        with _sampling(pipe, recipe):
            checkpoints.see_base()

        def at_checkpoint(step: int, curve: list[dict[str, float]]) -> None:
            with _sampling(pipe, recipe):
                checkpoints.see(step, curve)

        curve = train(vectors, loss_of, recipe.plan, scratch, "Textual Inversion", at_checkpoint)
    with torch.no_grad():
        embedding.weight[ids] = vectors.weight.to(embedding.weight.dtype)
    best = checkpoints.best()
    return TrainedModel(checkpoints.weights(best), best["step"], curve, checkpoints)


@contextmanager
def looked_up(
    embedding: "torch.nn.Embedding", first: int, vectors: "torch.nn.Embedding"
) -> Iterator[None]:
    """Inside, ``embedding`` answers with ``vectors`` (n x D) for the n tokens from ``first`` on.

    Gradients reach ``vectors`` alone: no other row can move, whatever the optimiser does.
    """
    import torch

    count = vectors.num_embeddings

    def answer(module: Any, arguments: tuple[Any, ...], known: torch.Tensor) -> torch.Tensor:
        numbers = arguments[0] - first
        ours = (numbers >= 0) & (numbers < count)
        learned = vectors(numbers.clamp(0, count - 1)).to(known.dtype)
        return torch.where(ours.unsqueeze(-1), learned, known)

    hook = embedding.register_forward_hook(answer)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def _sampling(pipe: Pipeline, recipe: TextualInversionRecipe) -> Iterator[None]:
    """To make pictures between two steps, in the training's number format."""
    import torch

    low, device = recipe.precision == "bfloat16", pipe.unet.device.type
    with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16, enabled=low):
        yield


def first_tokens(pipe: Pipeline, recipe: TextualInversionRecipe) -> list[int]:
    """The numbers of the initializer's tokens. Raises BadInput when it has none."""
    tokens = pipe.tokenizer(recipe.initializer_token, add_special_tokens=False)["input_ids"]
    if not tokens:
        raise BadInput(f"initializer_token '{recipe.initializer_token}' has no token: give a word")
    return list(tokens)


def first_vectors(pipe: Pipeline, recipe: TextualInversionRecipe) -> "torch.Tensor":
    """What the word's n vectors begin with: n x D float32, from the tokens of the initializer.

    With fewer tokens than vectors, neighbours share one; with more, each is the mean of its share.
    """
    import torch

    tokens = first_tokens(pipe, recipe)
    known = pipe.text_encoder.get_input_embeddings().weight.detach()[tokens].float()
    count = recipe.num_vectors
    if len(known) <= count:
        return known[torch.arange(count) * len(known) // count]
    return torch.stack([part.mean(0) for part in torch.tensor_split(known, count)])


def vocabulary_norm(pipe: Pipeline, word: Word) -> float:
    """Mean length of the vectors of the words that the model knew before this one."""
    known = pipe.text_encoder.get_input_embeddings().weight.detach()
    own = len(pipe.tokenizer) - len(word.vectors)
    return float(known[:own].float().norm(dim=1).mean())


def readable_prompts(pipe: Pipeline, sentences: Sequence[str], ids: Sequence[int]) -> list[str]:
    """The sentences with the word expanded to all its vectors, whose numbers are ``ids``.

    Raises BadInput when a sentence is so long that a vector is cut off.
    """
    prompts: list[str] = pipe.maybe_convert_prompt(list(sentences), pipe.tokenizer)
    for sentence, tokens in zip(
        sentences, pipe.tokenizer(prompts, truncation=True)["input_ids"], strict=True
    ):
        if [token for token in tokens if token in set(ids)] != list(ids):
            raise BadInput(
                f"the template '{sentence}' is too long to be read to the end of the word: shorten "
                "it, or lower num_vectors"
            )
    return prompts


def loss_on_templates(
    pipe: Pipeline,
    latents: "torch.Tensor",
    prompts: Sequence[str],
    vectors: "torch.nn.Embedding",
    recipe: TextualInversionRecipe,
) -> LossOf:
    """The loss of one batch: each row a picture, a noise level, noise and one of ``prompts``.

    ``latents``: cached ones, N x 2C x h x w. Targets are noise or velocity, as the scheduler says.
    """
    import torch

    device = pipe.unet.device
    kept = pipe.scheduler.alphas_cumprod.to(device)  # share of signal at each noise level

    def loss_of(step: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        drawn, chosen = draw_with_prompts(latents, len(prompts), recipe.batch, len(kept), generator)
        x, noise, t = (value.to(device) for value in drawn)
        # Each sentence is read once, however many rows have it.
        some, place = torch.unique(chosen, return_inverse=True)
        read = conditions_of(pipe, [prompts[int(number)] for number in some], True)
        errors = denoising_errors(pipe, x, noise, t, read(place.to(device)), kept[t])
        return {"loss": errors.mean(), "norm": vectors.weight.detach().norm(dim=1).mean()}

    return loss_of


def draw_with_prompts(
    latents: "torch.Tensor", prompts: int, batch: int, levels: int, generator: "torch.Generator"
) -> "tuple[tuple[torch.Tensor, ...], torch.Tensor]":
    """Latents, noise and noise levels as ``draw`` gives them, and B numbers below ``prompts``.

    Chance is drawn row by row: two batches of two see what one batch of four sees.
    """
    import torch

    rows, chosen = [], []
    for _ in range(batch):
        rows.append(draw([latents], 1, levels, 0.0, generator))
        chosen.append(torch.randint(prompts, (1,), generator=generator))
    return tuple(torch.cat(column) for column in zip(*rows, strict=True)), torch.cat(chosen)
