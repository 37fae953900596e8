"""CLIP: pictures and texts as vectors of one space (Radford et al. 2021, arXiv 2103.00020)."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from likeness.errors import BadInput
from likeness.metrics import encoders
from likeness.metrics.encoders import SMALL
from likeness.metrics.features import AT_ONCE, Features, Picture, exact, of_pictures
from likeness.metrics.passports import Passport
from likeness.progress import track

if TYPE_CHECKING:
    from transformers import CLIPModel

log = logging.getLogger("likeness")


class ClipEncoder:
    """Any stock CLIP model with its processor, in float32."""

    def __init__(
        self, model: "CLIPModel", images: Any, tokenizer: Any, source: str | Path, folder: Path
    ) -> None:
        self.model, self.images, self.tokenizer = model, images, tokenizer
        self.source, self.folder = source, folder
        self.positions = int(model.config.text_config.max_position_embeddings)
        self.width = int(model.config.projection_dim)

    def embed_images(self, pictures: Sequence[Picture]) -> Features:
        """N files or pictures -> N x D float32, of any length; measures normalise them.

        A file that cannot be decoded is a row of NaN with a reason.
        """
        return of_pictures(pictures, self._ready, self._pixels, self.width, "CLIP, pictures")

    def embed_texts(self, texts: Sequence[str]) -> Features:
        """N texts -> N x D float32, of any length; equal texts are read once.

        A text with more tokens than the model has positions (77 as a rule) is cut: its reason says
        what was not read.
        """
        unique = list(dict.fromkeys(texts))
        starts = range(0, len(unique), AT_ONCE)
        found = [
            self._words(unique[start : start + AT_ONCE])
            for start in track(starts, "CLIP, texts", len(starts))
        ]
        vectors = np.concatenate([np.empty((0, self.width), np.float32), *found])
        place = {text: number for number, text in enumerate(unique)}
        lost = {text: self._unread(text) for text in unique}
        if cut := sum(bool(reason) for reason in lost.values()):
            example = max(lost.values())
            log.warning("CLIP reads %d of %d texts in part: %s", cut, len(unique), example)
        rows = vectors[[place[text] for text in texts]]
        return Features(rows, tuple(lost[text] for text in texts))

    def passport(self, metric: str, protocol: str) -> Passport:
        """What a measure on these vectors was taken with."""
        return encoders.passport(
            metric, protocol, self.source, self.folder, encoders.framing(self.images)
        )

    def _ready(self, picture: Image.Image) -> np.ndarray:
        return np.asarray(self.images(images=picture, return_tensors="np")["pixel_values"][0])

    def _pixels(self, batch: np.ndarray) -> np.ndarray:
        import torch

        with exact():
            pixels = torch.from_numpy(batch).to(self.model.device)
            return _rows(self.model.get_image_features(pixel_values=pixels))

    def _words(self, texts: list[str]) -> np.ndarray:
        tokens = self.tokenizer(
            texts, padding=True, truncation=True, max_length=self.positions, return_tensors="pt"
        ).to(self.model.device)
        with exact():
            return _rows(
                self.model.get_text_features(tokens["input_ids"], tokens["attention_mask"])
            )

    def _unread(self, text: str) -> str:
        tokens = self.tokenizer(text, truncation=False, verbose=False)["input_ids"]
        if len(tokens) <= self.positions:
            return ""
        lost = str(self.tokenizer.decode(tokens[self.positions - 1 : -1])).strip()
        return f"cut at {self.positions} tokens, not read: {lost}"


def open_clip_folder(source: str | Path = SMALL, device: str | None = None) -> ClipEncoder:
    """An encoder from a ``CLIPModel`` folder with its processor, a known name, or the hub.

    ``source``: ``small-clip``, ``clip-vit-b-32``, ``clip-vit-l-14``, a folder, ``owner/name`` or
    ``owner/name@commit``; ``device``: the GPU if there is one. Raises ``BadInput`` where there is
    no such model or its files are not all there.
    """
    from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

    folder = encoders.folder_of(source)
    model = encoders.load_network(CLIPModel, folder, device)
    images = encoders.image_processor(CLIPImageProcessorPil, folder)
    # without a vocabulary the library would make one up
    if not any((folder / name).is_file() for name in ("tokenizer.json", "vocab.json")):
        raise BadInput(f"{folder} has no tokenizer.json or vocab.json: put the whole model there")
    tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    return ClipEncoder(model, images, tokenizer, source, folder)


def _rows(output: Any) -> np.ndarray:
    """Projected features; newer libraries hand them out inside an object."""
    return getattr(output, "pooler_output", output).float().cpu().numpy()
