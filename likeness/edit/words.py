"""Where the words of a prompt are among its tokens, and which tokens of two prompts correspond."""

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from likeness.errors import BadInput
from likeness.generate.prompts import cut_off

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

PUNCTUATION = string.punctuation + "…–—“”‘’„«»¿¡"


@dataclass(frozen=True)
class Word:
    """What stands between two spaces; its tokens, by their positions in the prompt."""

    text: str  # without the punctuation around it, in lower case
    core: tuple[int, ...]
    before: tuple[int, ...]  # punctuation
    after: tuple[int, ...]

    @property
    def parts(self) -> tuple[tuple[int, ...], ...]:
        """All of its tokens, by what they are."""
        return self.before, self.core, self.after


@dataclass(frozen=True)
class ReadPrompt:
    """A prompt as the text encoder gets it."""

    text: str
    ids: tuple[int, ...]  # with the marks of its start and end, without what fills it up
    words: tuple[Word, ...]
    positions: int  # with what fills it up

    def find(self, phrase: str) -> list[int]:
        """Positions of all tokens of a word, or of words in a row, wherever they stand.

        Case and the punctuation around words do not count. Raises BadInput where there are none.
        """
        wanted = said_words(phrase)
        heads = range(len(self.words) - len(wanted) + 1) if wanted else []
        found = {
            position
            for head in heads
            if [word.text for word in self.words[head : head + len(wanted)]] == wanted
            for word in self.words[head : head + len(wanted)]
            for position in word.core
        }
        if not found:
            raise BadInput(
                f"'{phrase}' is not among the words of the prompt '{self.text}': "
                "name a word as it stands there"
            )
        return sorted(found)


@dataclass(frozen=True)
class Alignment:
    """What the tokens of a target take from the attention maps of a source."""

    # Source tokens x target tokens, float32: a target's map is the sum of the sources' by these.
    matrix: np.ndarray
    # Per target token: is there anything to take? Where not, the target keeps its own map.
    known: np.ndarray


def read(tokenizer: "CLIPTokenizer", text: str) -> ReadPrompt:
    """Words and tokens of a prompt, matched by where their letters stand.

    Raises BadInput, saying what would be cut, when a prompt has more tokens than the model reads.
    """
    if cut := cut_off(tokenizer, text):
        raise BadInput(f"the prompt '{text}' is too long ({cut}): shorten it")
    encoded = tokenizer(text, return_offsets_mapping=True)
    ids = tuple(int(token) for token in encoded["input_ids"])
    spans = [(int(begin), int(end)) for begin, end in encoded["offset_mapping"]]
    words: list[Word] = []
    raws: list[str] = []
    for match in re.finditer(r"\S+", text):
        word = _word(match, spans)
        if raws and _goes_on(tokenizer, raws[-1], match[0]):
            words[-1] = _joined(words[-1], word)
        else:
            words.append(word)
            raws.append(match[0])
    return ReadPrompt(text, ids, tuple(words), int(tokenizer.model_max_length))


def swap(source: ReadPrompt, target: ReadPrompt) -> Alignment:
    """Word for word, also where words differ (Hertz et al. 2022, section 3.2, word swap).

    A word of as many tokens passes them on one by one; of another number, all of its mass in equal
    parts. What stands behind it stays aligned: words, the end and what fills the prompt up.
    Raises BadInput when the prompts have not as many words.
    """
    if len(source.words) != len(target.words):
        raise BadInput(
            f"'{source.text}' has {len(source.words)} words and '{target.text}' "
            f"{len(target.words)}: a swap needs as many, so take refine"
        )
    matrix = _ends(source, target)
    for mine, other in zip(source.words, target.words, strict=True):
        for gives, takes in zip(mine.parts, other.parts, strict=True):
            if len(gives) == len(takes):
                matrix[list(gives), list(takes)] = 1
            elif takes:
                matrix[np.ix_(gives, takes)] = 1 / len(takes)
    return Alignment(matrix, np.asarray(matrix.any(axis=0)))


def refine(source: ReadPrompt, target: ReadPrompt) -> Alignment:
    """Token for token, new ones left free (Hertz et al. 2022, section 3.2, prompt refinement).

    The longest common subsequence, by dynamic programming; of several, the one whose last pair
    comes earliest in the target, then in the source, then the one before.
    """
    matrix = _ends(source, target)
    for give, take in _common(source.ids, target.ids):
        matrix[give, take] = 1
    return Alignment(matrix, np.asarray(matrix.any(axis=0)))


def _ends(source: ReadPrompt, target: ReadPrompt) -> np.ndarray:
    """Start to start, end to end, and what fills up counted from the end, the last often enough.

    By position instead, the filling of a target shorter than its source would take words' maps.
    """
    size = source.positions
    matrix = np.zeros((size, size), np.float32)
    matrix[0, 0] = 1
    last_give, last_take = len(source.ids) - 1, len(target.ids) - 1
    takes = np.arange(last_take, size)
    matrix[np.minimum(takes - last_take + last_give, size - 1), takes] = 1
    return matrix


def _common(source: Sequence[int], target: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of positions of the longest common subsequence, from the last to the first."""
    length = np.zeros((len(source) + 1, len(target) + 1), int)
    for i, one in enumerate(source, 1):
        for j, other in enumerate(target, 1):
            met = length[i - 1, j - 1] + 1 if one == other else 0
            length[i, j] = max(length[i - 1, j], length[i, j - 1], met)
    pairs = []
    i, j = len(source), len(target)
    while length[i, j]:
        if length[i, j] == length[i, j - 1]:
            j -= 1
        elif length[i, j] == length[i - 1, j]:
            i -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    return pairs


def said_words(text: str) -> list[str]:
    """What stands between spaces, in lower case and without the punctuation around it.

    As ``read`` finds them, but for a learned word of several vectors; no tokenizer is needed.
    """
    return [_bare(word) for word in text.split()]


def is_said(phrase: str, text: str) -> bool:
    """Whether a word, or words in a row, stand in a text, as ``ReadPrompt.find`` finds them."""
    wanted, there = said_words(phrase), said_words(text)
    heads = range(len(there) - len(wanted) + 1) if wanted else []
    return any(there[head : head + len(wanted)] == wanted for head in heads)


def _bare(word: str) -> str:
    """In lower case, without the punctuation around it, unless there is nothing else."""
    return (word.strip(PUNCTUATION) or word).lower()


def _word(match: re.Match[str], spans: Sequence[tuple[int, int]]) -> Word:
    """The tokens that overlap with a word, each by the first of core, before and after it hits."""
    bare = match[0].strip(PUNCTUATION) or match[0]
    begin = match.start() + match[0].index(bare)
    edges = (match.start(), begin, begin + len(bare), match.end())
    before, core, after = (_within(spans, *area) for area in pairwise(edges))
    before, after = before - core, after - core - before
    return Word(bare.lower(), *(tuple(sorted(part)) for part in (core, before, after)))


def _within(spans: Sequence[tuple[int, int]], begin: int, end: int) -> set[int]:
    return {k for k, (a, b) in enumerate(spans) if max(a, begin) < min(b, end)}


def _goes_on(tokenizer: "CLIPTokenizer", before: str, raw: str) -> bool:
    """Is this the next vector of a learned word, which diffusers writes ``<word> <word>_1``?"""
    return (
        re.match(re.escape(before) + r"_\d+", raw) is not None
        and before in tokenizer.get_added_vocab()
    )


def _joined(word: Word, more: Word) -> Word:
    return Word(word.text, word.core + more.core, word.before, word.after + more.after)
