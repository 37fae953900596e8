import random
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from likeness.edit.words import Word, read, refine, swap
from likeness.errors import BadInput

KNOWN = ("a", "photo", "of", "dog", "cat", "red", "on", "beach")
# Words in 1, 1, 1, 2, 3, 3 and 4 tokens for a tokenizer that knows only whole words and letters.
SOME = ("dog", "red", "a", "ox", "elk", "cat's", "yak.")
LENGTH = 77


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    from transformers import CLIPTokenizer

    from likeness.world.tokenizer import write_tokenizer

    folder = tmp_path_factory.mktemp("words") / "tokenizer"
    write_tokenizer(KNOWN, folder)
    return CLIPTokenizer.from_pretrained(folder)


def test_words_know_their_tokens(tokenizer):
    prompt = read(tokenizer, "A  photo of (Yak), red!")
    assert prompt.words == (
        Word("a", (1,), (), ()),
        Word("photo", (2,), (), ()),
        Word("of", (3,), (), ()),
        Word("yak", (5, 6, 7), (4,), (8, 9)),
        Word("red", (10,), (), (11,)),
    )
    assert len(prompt.ids) == 13
    assert prompt.positions == LENGTH
    assert prompt.find("yak") == prompt.find("YAK,") == [5, 6, 7]
    assert prompt.find("photo of") == [2, 3]


@pytest.mark.parametrize("text", ["Où est le café ?", "dog & cat", "it's 25° … «red»", "犬 dog"])
def test_every_token_belongs_to_one_word(tokenizer, text):
    prompt = read(tokenizer, text)
    tokens = [token for word in prompt.words for part in word.parts for token in part]
    assert sorted(tokens) == list(range(1, len(prompt.ids) - 1))
    for word in prompt.words:
        joined = tokenizer.decode([prompt.ids[token] for token in word.core]).replace(" ", "")
        assert joined == word.text


def test_a_word_is_found_wherever_it_stands(tokenizer):
    assert read(tokenizer, "a dog, a red dog").find("dog") == [2, 6]
    assert read(tokenizer, "a dog, a red dog").find("a red") == [4, 5]


@pytest.mark.parametrize("phrase", ["bird", "photo dog", "", "do"])
def test_a_word_that_is_not_there_is_named(tokenizer, phrase):
    with pytest.raises(BadInput, match=f"'{phrase}' is not among the words of .*'a dog'"):
        read(tokenizer, "a dog").find(phrase)


def test_what_would_be_cut_is_said(tokenizer):
    with pytest.raises(BadInput, match=r"cut at 77 tokens, not read: red red\): shorten it"):
        read(tokenizer, "a " * 75 + "red red")
    assert len(read(tokenizer, "a " * 75).ids) == LENGTH


def test_vectors_of_a_learned_word_are_one_word(tokenizer, tmp_path):
    from transformers import CLIPTokenizer

    tokenizer.save_pretrained(tmp_path)
    learned = CLIPTokenizer.from_pretrained(tmp_path)
    learned.add_tokens(["<new>", "<new>_1", "<new>_2"])
    prompt = read(learned, "a <new> <new>_1 <new>_2, red dog")
    assert [word.text for word in prompt.words] == ["a", "new", "red", "dog"]
    assert prompt.find("<new>") == [2, 3, 4]
    assert prompt.words[1].after == (5,)


def sentence(rng, count, words):
    return " ".join(rng.choice(words) for _ in range(count))


def pieces(tokenizer, word):
    """How many tokens are letters, and how many are the full stop behind them."""
    return len(tokenizer.tokenize(word.rstrip("."))), len(word) - len(word.rstrip("."))


def expected_swap(tokenizer, source, target):
    """Token by token, from the words' lengths alone."""
    expected = np.zeros((LENGTH, LENGTH))
    expected[0, 0] = 1
    i = j = 1
    for old, new in zip(source.split(), target.split(), strict=True):
        for gives, takes in zip(pieces(tokenizer, old), pieces(tokenizer, new), strict=True):
            for a in range(gives):
                for b in range(takes):
                    same = gives == takes
                    expected[i + a, j + b] = float(a == b) if same else 1 / takes
            i, j = i + gives, j + takes
    while j < LENGTH:
        expected[min(i, LENGTH - 1), j] = 1
        i, j = i + 1, j + 1
    return expected


def test_swaps_are_those_of_a_count_by_hand_on_3000_pairs(tokenizer):
    rng = random.Random(0)
    for k in range(3000):
        count = rng.randint(1, 6)
        source = sentence(rng, count, SOME)
        target = sentence(rng, count, SOME) if k % 10 else source
        found = swap(read(tokenizer, source), read(tokenizer, target))
        np.testing.assert_allclose(found.matrix, expected_swap(tokenizer, source, target), 1e-6)
        assert (found.known == (found.matrix.sum(0) > 0)).all()
        if source == target:
            assert (found.matrix == np.eye(LENGTH)).all()


def test_a_swapped_word_keeps_all_of_its_mass(tokenizer):
    old, new = read(tokenizer, "a red dog on"), read(tokenizer, "a red giraffe on")
    found = swap(old, new)
    assert found.matrix[old.find("dog")].sum() == pytest.approx(1)
    assert found.matrix[old.find("on"), new.find("on")] == 1
    assert found.known.all()


def test_a_new_full_stop_is_left_free(tokenizer):
    old, new = read(tokenizer, "a dog on"), read(tokenizer, "a dog. on")
    found = swap(old, new)
    assert np.flatnonzero(~found.known).tolist() == [3]
    assert found.matrix[old.find("on"), new.find("on")] == 1


def test_a_swap_needs_as_many_words(tokenizer):
    with pytest.raises(BadInput, match=r"'a dog' has 2 words and 'a red dog' 3: .*take refine"):
        swap(read(tokenizer, "a dog"), read(tokenizer, "a red dog"))


def expected_common(source, target):
    """Of all longest common subsequences the earliest, from the last pair on; by trying all."""
    for size in range(min(len(source), len(target)), 0, -1):
        found = [
            list(zip(taken, given, strict=True))
            for taken in combinations(range(len(target)), size)
            for given in combinations(range(len(source)), size)
            if [target[j] for j in taken] == [source[i] for i in given]
        ]
        if found:
            return min(found, key=lambda pairs: pairs[::-1])
    return []


def test_refinements_are_those_of_trying_all_on_3000_pairs(tokenizer):
    rng = random.Random(1)
    words = ("a", "dog", "red", "ox")
    known = cache(lambda text: read(tokenizer, text))
    for _ in range(3000):
        old, new = (known(sentence(rng, rng.randint(1, 4), words)) for _ in range(2))
        found = refine(old, new)
        expected = np.zeros((LENGTH, LENGTH))
        # The marks of start and end are alike in both, and nowhere else.
        inner = expected_common(old.ids[1:-1], new.ids[1:-1])
        ends = [(0, 0), (len(new.ids) - 1, len(old.ids) - 1)]
        for take, give in [*((j + 1, i + 1) for j, i in inner), *ends]:
            expected[give, take] = 1
        for k in range(1, LENGTH - len(new.ids) + 1):
            expected[min(len(old.ids) - 1 + k, LENGTH - 1), len(new.ids) - 1 + k] = 1
        assert (found.matrix == expected).all(), (old.text, new.text)
        assert (found.known == expected.any(0)).all()


def test_refining_leaves_new_words_free(tokenizer):
    old, new = read(tokenizer, "a dog on a beach"), read(tokenizer, "a red dog on a beach")
    found = refine(old, new)
    assert np.flatnonzero(~found.known).tolist() == new.find("red")
    for word in ("dog", "on", "beach"):
        assert found.matrix[old.find(word), new.find(word)] == 1


def test_filling_of_a_shorter_target_takes_no_words(tokenizer):
    old, new = read(tokenizer, "a red dog on a beach"), read(tokenizer, "a dog")
    found = refine(old, new)
    assert not found.matrix[1 : len(old.ids) - 1, len(new.ids) - 1 :].any()
    assert found.matrix[len(old.ids) - 1, len(new.ids) - 1] == 1
