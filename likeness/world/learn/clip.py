"""Train ``small-clip``: pictures and captions in one space, in the stock classes' own format."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.finetune.loop import Plan, train
from likeness.world.learn.keep import some_of, write_results

if TYPE_CHECKING:
    import torch
    from transformers import CLIPModel, CLIPProcessor

    from likeness.world.book import Book

SIDE, PATCH, POSITIONS = 64, 8, 77
MEAN, STD = (0.5, 0.5, 0.5), (0.27, 0.27, 0.27)
PLAN = Plan(
    steps=1200,
    learning_rate=2e-3,
    weight_decay=0.05,
    ema=0.998,
    precision="bfloat16",
    seed=51,
    optimizer="muon",
)
BATCH = 160
PLANS = {"clip": (PLAN, BATCH)}
FULL = 0.3  # share of captions that say all
AMONG = 64  # captions of which the right one must be found


def make(
    book: Path, test_book: Path, out: Path, scratch: Path, tokenizer: Path
) -> dict[str, float]:
    """Train on one book, measure on another; what was measured. Files of the model in ``out``."""
    from transformers import CLIPModel, CLIPProcessor

    from likeness.world.book import open_book

    curve = train_clip(book, out, scratch, tokenizer)
    model = CLIPModel.from_pretrained(out).eval()
    measured = measure_clip(model, CLIPProcessor.from_pretrained(out), open_book(test_book))
    write_results(out, measured, {"clip": curve})
    return measured


def build(tokenizer: Any, hidden: int = 160, projection: int = 128) -> "CLIPModel":
    """An untrained model for the vocabulary of ``tokenizer``; weights by torch's global seed."""
    from transformers import CLIPConfig, CLIPModel

    common = {
        "hidden_size": hidden,
        "intermediate_size": 4 * hidden,
        "num_attention_heads": max(1, hidden // 40),
        "projection_dim": projection,
        "hidden_act": "gelu",
    }
    text = common | {
        "vocab_size": len(tokenizer),
        "num_hidden_layers": 3,
        "max_position_embeddings": POSITIONS,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = common | {"num_hidden_layers": 4, "image_size": SIDE, "patch_size": PATCH}
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=projection))


def train_clip(book: Path, out: Path, scratch: Path, tokenizer: Path) -> list[dict[str, float]]:
    """Write a ``CLIPModel`` folder with its processor; the curve."""
    import torch
    from transformers import CLIPTokenizer

    from likeness.world.book import open_book

    pages = open_book(book)
    words = CLIPTokenizer.from_pretrained(tokenizer)
    torch.manual_seed(PLAN.seed)
    model = build(words).train()
    model.set_attn_implementation("eager")  # on a CPU a quarter faster than the fused kernel
    every = np.arange(len(pages.pages))

    def loss_of(step: int, chance: "torch.Generator") -> "dict[str, torch.Tensor]":
        rows = some_of(every, BATCH, chance)
        seed = int(torch.randint(2**31, (1,), generator=chance))
        texts = captions(pages, rows, np.random.default_rng(seed), FULL)
        images = model.get_image_features(pixel_values=_views(pages, rows, chance))
        said = model.get_text_features(**_tokens(words, texts))
        with torch.autocast("cpu", enabled=False):
            # The scale of logits stays below 100, as published.
            scale = model.logit_scale.clamp(max=float(np.log(100))).exp()
            image, text = _unit(images), _unit(said)
            return {"loss": contrastive_loss(image, text, scale, _alike(texts))}

    curve = train(model, loss_of, PLAN, scratch / "clip", "clip")
    save(model.eval(), words, out)
    return curve


def save(model: "CLIPModel", tokenizer: Any, out: Path) -> None:
    """A folder that ``CLIPModel`` and ``CLIPProcessor`` load; float16 on disk, float32 once loaded.

    The plain CLIPImageProcessor needs torchvision; its Pillow twin does the same without it.
    """
    from transformers import CLIPImageProcessorPil, CLIPProcessor

    images = CLIPImageProcessorPil(
        size={"shortest_edge": SIDE},
        crop_size={"height": SIDE, "width": SIDE},
        image_mean=list(MEAN),
        image_std=list(STD),
    )
    model.half().save_pretrained(out)
    CLIPProcessor(images, tokenizer).save_pretrained(out)
    model.float()
    # Loaded as what the configuration says: half precision is slow on a CPU.
    config = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps(config | {"dtype": "float32"}, indent=1) + "\n")


def captions(book: "Book", rows: np.ndarray, rng: np.random.Generator, full: float) -> list[str]:
    """One caption for each of the rows; a share ``full`` of them leaves nothing out."""
    from likeness.world.grammar import caption

    return [
        caption(book.pages[i].description, rng, full=bool(rng.random() < full)).text for i in rows
    ]


def contrastive_loss(
    image: "torch.Tensor", text: "torch.Tensor", scale: "torch.Tensor", alike: "torch.Tensor"
) -> "torch.Tensor":
    """Symmetric cross entropy of B x D unit vectors; pair i is image i with text i.

    ``alike``: B x B bool, texts that say the same; they are no wrong answers to each other.
    """
    import torch
    from torch.nn import functional as F

    right = torch.arange(len(image))
    other = alike & ~torch.eye(len(image), dtype=torch.bool)
    logits = (scale * image @ text.T).masked_fill(other, float("-inf"))
    return (F.cross_entropy(logits, right) + F.cross_entropy(logits.T, right)) / 2


def _alike(texts: list[str]) -> "torch.Tensor":
    import torch

    _, number = np.unique(texts, return_inverse=True)
    return torch.from_numpy(number[:, None] == number[None])


def _unit(output: Any) -> "torch.Tensor":
    """Features as unit vectors; in transformers 5 they come inside an output object."""
    from torch.nn import functional as F

    return F.normalize(getattr(output, "pooler_output", output).float(), dim=1)


def _tokens(tokenizer: Any, texts: list[str]) -> "dict[str, torch.Tensor]":
    """Padded to the longest only: attention over 77 positions would be three times the work."""
    tokens = tokenizer(
        texts, padding="longest", truncation=True, max_length=POSITIONS, return_tensors="pt"
    )
    return {"input_ids": tokens["input_ids"], "attention_mask": tokens["attention_mask"]}


def _views(book: "Book", rows: np.ndarray, chance: "torch.Generator") -> "torch.Tensor":
    """Worn pictures, moved by a little, as the processor would give them."""
    import torch

    from likeness.faces.blocks import as_input, resized
    from likeness.world.learn import augment

    x = resized(as_input(book.pictures[rows]), SIDE, SIDE)
    scale = augment.uniform(len(rows), 0.95, 1.1, chance)
    shift = augment.uniform(2 * len(rows), -0.05, 0.05, chance).view(-1, 2)
    x = augment.shift_and_scale(x, scale, shift, torch.zeros(len(rows), dtype=torch.bool))
    x = augment.worn(x, chance, share=0.15, tint=0.05)
    mean, std = (torch.tensor(v)[:, None, None] for v in (MEAN, STD))
    return ((x + 1) / 2 - mean) / std


def measure_clip(model: "CLIPModel", processor: "CLIPProcessor", book: "Book") -> dict[str, float]:
    """How often the right one among 64 is found, both ways.

    With captions as they are trained on (some say so little that several pictures fit), and with
    captions that leave nothing out.
    """
    rows = np.arange(len(book.pages))
    image = _embed_images(model, processor, book)
    measured: dict[str, float] = {}
    for name, full in (("caption", 0.0), ("full_caption", 1.0)):
        texts = captions(book, rows, np.random.default_rng(7), full)
        text = _embed_texts(model, processor.tokenizer, texts)
        measured |= {
            f"right_{name}_among_64": found_among(image, text, AMONG),
            f"right_picture_among_64_by_{name}": found_among(text, image, AMONG),
        }
    return measured | {f"n/{name}": len(rows) // AMONG * AMONG for name in measured}


def found_among(queries: np.ndarray, answers: np.ndarray, among: int) -> float:
    """Share of rows whose own answer is the nearest within their block of ``among`` rows."""
    hits = []
    for start in range(0, len(queries) - among + 1, among):
        block = slice(start, start + among)
        nearest = (queries[block] @ answers[block].T).argmax(1)
        hits.append(np.mean(nearest == np.arange(among)))
    return float(np.mean(hits)) if hits else float("nan")


def _embed_images(model: "CLIPModel", processor: Any, book: "Book") -> np.ndarray:
    import torch
    from PIL import Image

    found = []
    for start in range(0, len(book.pages), AMONG):
        pictures = [Image.fromarray(p) for p in book.pictures[start : start + AMONG]]
        pixels = processor(images=pictures, return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            features = model.get_image_features(pixel_values=pixels.to(model.dtype))
        found.append(_unit(features).numpy())
    return np.concatenate(found)


def _embed_texts(model: "CLIPModel", tokenizer: Any, texts: list[str]) -> np.ndarray:
    import torch

    found = []
    for start in range(0, len(texts), AMONG):
        with torch.inference_mode():
            features = model.get_text_features(**_tokens(tokenizer, texts[start : start + AMONG]))
        found.append(_unit(features).numpy())
    return np.concatenate(found)
