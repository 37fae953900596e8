"""A tokenizer of CLIP's kind in which every word of the world is one token."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
POSITIONS = 77
FEWEST_PIECES = 10_000
Pair = tuple[str, str]


def write_tokenizer(words: Sequence[str], folder: Path) -> None:
    """Write ``vocab.json`` and ``merges.txt`` with which ``CLIPTokenizer`` knows ``words``.

    Any other word falls into pieces, down to bytes, so that nothing is ever refused.
    """
    from transformers import CLIPTokenizer

    alphabet = _alphabet()
    merges: dict[Pair, int] = {}
    for word in words:
        _learn(word, merges)
    pieces = ["".join(pair) for pair in merges]
    tokens = [*alphabet, *(letter + "</w>" for letter in alphabet), *dict.fromkeys(pieces)]
    vocab = {token: number for number, token in enumerate([*tokens, START, END])}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n")
    tokenizer = CLIPTokenizer(
        vocab=str(folder / "vocab.json"),
        merges=str(folder / "merges.txt"),
        model_max_length=POSITIONS,
    )
    tokenizer.save_pretrained(folder)


def is_of_whole_words(tokenizer: "CLIPTokenizer") -> bool:
    """Whether the vocabulary is a list of words, as the small world's, and not one of pieces."""
    return len(tokenizer) < FEWEST_PIECES


def unknown_words(tokenizer: "CLIPTokenizer", prompt: str) -> list[str]:
    """The words of a prompt that the tokenizer has to take apart, in order, each once."""
    import re

    words = re.findall(r"[^\W\d_]+", prompt.lower())
    return [word for word in dict.fromkeys(words) if len(tokenizer.tokenize(word)) > 1]


def _alphabet() -> list[str]:
    """The 256 printable stand-ins for bytes."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return list(bytes_to_unicode().values())


def _learn(word: str, merges: dict[Pair, int]) -> None:
    """Add the merges that are missing for ``word`` to become one piece.

    New merges rank behind all others, so words learned before stay whole.
    """
    while len(pieces := _pieces(word, merges)) > 1:
        merges[(pieces[0], pieces[1])] = len(merges)


def _pieces(word: str, merges: dict[Pair, int]) -> list[str]:
    """Byte-pair encoding of one word (Sennrich et al. 2016): join the best ranked pair first."""
    pieces = [*word[:-1], word[-1] + "</w>"]
    while len(pieces) > 1:
        pairs = list(pairwise(pieces))
        best = min(pairs, key=lambda pair: merges.get(pair, len(merges)))
        if best not in merges:
            break
        joined: list[str] = []
        i = 0
        while i < len(pieces):
            if i + 1 < len(pieces) and (pieces[i], pieces[i + 1]) == best:
                joined.append(pieces[i] + pieces[i + 1])
                i += 2
            else:
                joined.append(pieces[i])
                i += 1
        pieces = joined
    return pieces
