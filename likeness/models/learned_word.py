"""A learned word: one or more vectors of a text encoder's vocabulary, in a file of their own."""

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from likeness.errors import BadInput
from likeness.models.load import Pipeline
from likeness.models.pickles import is_pickle

if TYPE_CHECKING:
    import torch

EMBEDS = "learned_embeds.safetensors"
# The name under which other programs keep the vectors; the word is then the file's name.
NAMELESS = "emb_params"


class Word(NamedTuple):
    """What is written in a prompt, and what the text encoder reads there."""

    token: str
    vectors: "torch.Tensor"  # n x D


def names_of(token: str, count: int) -> list[str]:
    """The names of a word's vectors in the tokenizer, as diffusers gives them: w, w_1, w_2, ..."""
    return [token, *(f"{token}_{number}" for number in range(1, count))]


def why_not(token: str, count: int) -> str | None:
    """Why no tokenizer can hold this word of ``count`` vectors, as a phrase; None when it can."""
    plain = unicodedata.normalize("NFC", token)
    if not token or token != plain or any(letter.isspace() for letter in token):
        return f"'{token}' must be one word, without spaces and of composed letters (NFC)"
    if count > 1 and token != token.lower():
        # CLIP's tokenizer answers in lower case, in which stock pipelines do not find the word.
        return (
            f"'{token}' has {count} vectors and capitals, and stock pipelines would read its first "
            f"vector alone: write '{token.lower()}'"
        )
    return None


def write_word(word: Word, file: Path) -> None:
    """Write n x D vectors (float32), as ``load_textual_inversion`` of stock diffusers reads them.

    The same word is the same bytes.
    """
    from safetensors.torch import save_file

    vectors = word.vectors.detach().float().cpu().contiguous()
    save_file({word.token: vectors}, file, {"format": "pt"})


def read_word(file: Path, token: str | None = None) -> Word:
    """A word from a file by this project or by others; ``token`` renames it.

    Raises BadInput for a pickle, for a file that is damaged, and for what is no word for one text
    encoder.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if is_pickle(file):
        raise BadInput(
            f"{file} is a pickle, which may run any program when it is opened: convert it to "
            "safetensors by a tool that reads tensors only (torch.load with weights_only=True)"
        )
    try:
        held = load_file(file)
    except (OSError, SafetensorError) as error:
        raise BadInput(f"{file} cannot be read as safetensors: fetch or make it again") from error
    if len(held) != 1:
        raise BadInput(
            f"{file} holds {len(held)} tensors ({', '.join(sorted(held)[:3])}) where one is "
            "expected: take a word that was learned for a model with one text encoder"
        )
    name, vectors = next(iter(held.items()))
    if vectors.ndim == 1:
        vectors = vectors[None]
    if vectors.ndim != 2 or not len(vectors):
        raise BadInput(f"{file} holds {tuple(vectors.shape)} numbers, which is no list of vectors")
    own = file.stem if name == NAMELESS else name
    return Word(unicodedata.normalize("NFC", token or own), vectors)


def add_word(pipe: Pipeline, word: Word) -> list[int]:
    """Teach tokenizer and text encoder a word, in place; the numbers of its vectors, which follow.

    All other rows of the embedding stay as they are, bit for bit. Prompts then hold the token,
    which the pipeline expands when it has several vectors. Raises BadInput when the token is a word
    already, when it cannot be one, and when the vectors are of another width.
    """
    import torch

    token, count = word.token, len(word.vectors)
    _check(pipe, word)
    encoder, tokenizer = pipe.text_encoder, pipe.tokenizer
    names = names_of(token, count)
    tokenizer.add_tokens(names)
    ids = [int(number) for number in tokenizer.convert_tokens_to_ids(names)]
    embedding = encoder.get_input_embeddings()
    # A matrix may have more rows than the tokenizer has words; it is never made shorter.
    if max(ids) >= len(embedding.weight):
        encoder.resize_token_embeddings(max(ids) + 1, mean_resizing=False)
        embedding = encoder.get_input_embeddings().requires_grad_(False)
    with torch.no_grad():
        embedding.weight[ids] = word.vectors.to(embedding.weight)
    return ids


def _check(pipe: Pipeline, word: Word) -> None:
    if hasattr(pipe, "text_encoder_2"):
        raise BadInput(
            "a learned word belongs to a model with one text encoder: choose sd15, sd2 or small"
        )
    token, tokenizer = word.token, pipe.tokenizer
    if reason := why_not(token, len(word.vectors)):
        raise BadInput(f"the learned word {reason}")
    known = tokenizer.get_vocab()
    taken = [name for name in names_of(token, len(word.vectors)) if name in known]
    # "dog" is "dog</w>" in the vocabulary, and "Dog" is read as "dog".
    if taken or len(tokenizer.tokenize(token)) == 1:
        raise BadInput(
            f"'{taken[0] if taken else token}' is a word of the model already: choose one that is "
            "not, such as <my-word>"
        )
    width = pipe.text_encoder.get_input_embeddings().embedding_dim
    if word.vectors.shape[1] != width:
        raise BadInput(
            f"'{token}' has vectors of {word.vectors.shape[1]} numbers and the model's have "
            f"{width}: take a word that was learned for this kind of model"
        )
