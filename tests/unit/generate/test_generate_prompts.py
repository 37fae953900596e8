import pytest

from likeness.generate.prompts import unread
from likeness.world.tokenizer import write_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    from transformers import CLIPTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(["a", "red", "dog"], folder)
    return CLIPTokenizer.from_pretrained(folder)


def test_of_75_words_all_is_read_and_of_77_the_last_two_are_not(tokenizer):
    whole = ["red"] * 74 + ["dog"]
    assert unread(tokenizer, " ".join(whole)) is None
    cut = unread(tokenizer, " ".join([*whole, "a", "dog"]))
    assert cut == "cut at 77 tokens, not read: a dog"


def test_words_in_pieces_are_unknown_only_where_the_vocabulary_is_of_whole_words(
    tokenizer, monkeypatch
):
    prompt = "a Red zebra, a dog zebra bites"
    assert unread(tokenizer, prompt) == "unknown words: zebra, bites"
    monkeypatch.setattr("likeness.world.tokenizer.FEWEST_PIECES", len(tokenizer))
    assert unread(tokenizer, prompt) is None


def test_both_are_said(tokenizer):
    said = unread(tokenizer, "cow " + "red " * 76)
    assert said.startswith("cut at 77 tokens, not read: red red")
    assert said.endswith("; unknown words: cow")
