"""What words mean, learned before any picture is painted: the text encoder's own lesson.

Stable Diffusion's text encoder comes from CLIP and knows its words before the UNet sees the first
of them. Ours learns from captions to say what they claim and whom they name.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.finetune.attention import plain_attention_on_cpu
from likeness.finetune.loop import Plan, train
from likeness.world.description import TRAITS, Identity
from likeness.world.grammar import Caption, caption
from likeness.world.names import NAMED_PEOPLE
from likeness.world.sample import Mixture, base_identity, describe

if TYPE_CHECKING:
    import torch
    from transformers import CLIPTextModel, CLIPTokenizer

BATCH = 64
UNSAID = 0
TRAIT_WEIGHT = 20.0  # a mean of squares below 1 beside a sum of some thirty cross-entropies
FIRST_LOOK = 6_000  # captions from which the values of each claim are counted


@dataclass(frozen=True)
class Lexicon:
    """Claim -> its values, each with a number from 1; and who bears which name."""

    values: dict[str, dict[str, int]]
    people: dict[str, Identity]

    def claims(self, said: Sequence[dict[str, Any]], name: str) -> np.ndarray:
        """N numbers; a claim that is not made is 0."""
        known = self.values[name]
        return np.array([known.get(str(one[name]), UNSAID) if name in one else 0 for one in said])

    def traits(self, said: Sequence[dict[str, Any]]) -> np.ndarray:
        """N x (2 + traits) float32: named or not, sex, traits; zeros where nobody is named."""
        rows = np.zeros((len(said), 2 + len(TRAITS)), np.float32)
        for row, one in zip(rows, said, strict=True):
            if (who := self.people.get(one.get("name", ""))) is not None:
                row[:] = [1.0, 1.0 if who.sex == "male" else -1.0, *who.traits]
        return rows


def lexicon_of(mixtures: Sequence[Mixture]) -> Lexicon:
    """What captions of these mixtures claim."""
    found = defaultdict(set)
    for index in range(FIRST_LOOK):
        for name, value in _caption(mixtures, index, 0).said.items():
            found[name].add(str(value))
    del found["name"]
    values = {
        name: {value: number for number, value in enumerate(sorted(words), 1)}
        for name, words in sorted(found.items())
    }
    people = {str(who.name): who for who in map(base_identity, range(NAMED_PEOPLE))}
    return Lexicon(values, people)


def learn_words(
    text_encoder: "CLIPTextModel",
    tokenizer: "CLIPTokenizer",
    mixtures: Sequence[Mixture],
    plan: Plan,
    scratch: Path,
) -> list[dict[str, float]]:
    """Train the text encoder in place to say what a caption claims; the curve.

    Every claim is read, by a linear layer of its own that is thrown away, from the end of the
    caption and from one position behind it, so that all of what the UNet attends to there says the
    same. A name is read as the sex and the traits of who bears it.
    """
    import torch

    lexicon = lexicon_of(mixtures)
    width = text_encoder.config.hidden_size
    torch.manual_seed(plan.seed)
    heads = torch.nn.ModuleDict(
        {name: torch.nn.Linear(width, 1 + len(known)) for name, known in lexicon.values.items()}
    )
    traits = torch.nn.Linear(width, 2 + len(TRAITS))
    device = text_encoder.device
    parts = {"text_encoder": text_encoder.train(), "heads": heads, "traits": traits}
    all_of_it = torch.nn.ModuleDict(parts).to(device)
    cross_entropy = torch.nn.functional.cross_entropy

    def loss_of(step: int, generator: "torch.Generator") -> "dict[str, torch.Tensor]":
        asked = [_caption(mixtures, step * BATCH + k, 1) for k in range(BATCH)]
        said = [one.said for one in asked]
        texts = [one.text for one in asked]
        words = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
        seen = text_encoder(words.input_ids.to(device)).last_hidden_state.float()
        read = _at_the_end(seen, words.input_ids, generator)
        values: dict[str, torch.Tensor] = {}
        with torch.autocast(device.type, enabled=False):
            wanted = torch.from_numpy(lexicon.traits(said)).to(device).repeat_interleave(2, 0)
            values["traits"] = (traits(read) - wanted).pow(2).mean()
            losses = []
            for name, head in heads.items():
                truth = torch.from_numpy(lexicon.claims(said, name)).to(device)
                losses.append(cross_entropy(head(read), truth.repeat_interleave(2)))
            values["claims"] = torch.stack(losses).sum()
        return {"loss": values["claims"] + TRAIT_WEIGHT * values["traits"], **values}

    with plain_attention_on_cpu(text_encoder):
        curve = train(all_of_it, loss_of, plan, scratch, "words")
    text_encoder.eval().requires_grad_(False)
    return curve


def _caption(mixtures: Sequence[Mixture], index: int, lesson: int) -> Caption:
    """A caption of nothing that is ever drawn."""
    mixture = mixtures[index % len(mixtures)]
    page = describe(f"words-{lesson}", index, mixture)
    return caption(page, np.random.default_rng([lesson, index]))


def _at_the_end(
    seen: "torch.Tensor", tokens: "torch.Tensor", generator: "torch.Generator"
) -> "torch.Tensor":
    """2N x width: the first end of each text, and one place from there on."""
    import torch

    last = tokens.shape[1] - 1
    end = (tokens == tokens[0, last]).int().argmax(1)
    further = end + ((last - end + 1) * torch.rand(len(end), generator=generator)).long()
    places = torch.stack([end, further.clamp(max=last)], 1).to(seen.device)
    rows = torch.arange(len(end), device=seen.device)[:, None]
    return seen[rows, places].flatten(0, 1)
