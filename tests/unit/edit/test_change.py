from types import SimpleNamespace

import numpy as np
import pytest
import tiny_pipeline
from pydantic import ValidationError

from likeness.edit.change import Change, LocalBlend, PromptToPromptRecipe, plan, steps_of
from likeness.errors import BadInput

SOURCE = "a photo of a dog on a beach"
SWAP, REFINED = "a photo of a cat on a beach", "a red photo of a dog on a beach"


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """What reading prompts needs of a pipeline."""
    from transformers import CLIPTokenizer

    from likeness.world.tokenizer import write_tokenizer

    folder = tmp_path_factory.mktemp("change") / "tokenizer"
    write_tokenizer(tiny_pipeline.WORDS, folder)
    return SimpleNamespace(
        tokenizer=CLIPTokenizer.from_pretrained(folder), maybe_convert_prompt=lambda text, _: text
    )


def test_as_many_words_are_swapped_and_others_refined(reader):
    recipe = PromptToPromptRecipe()
    assert plan(reader, SOURCE, SWAP, recipe).alignment.known.all()
    free = Change(target=SWAP, alignment="refine")
    for target, new in ((free, 5), (REFINED, 2)):
        found = plan(reader, SOURCE, target, recipe).alignment
        assert np.flatnonzero(~found.known).tolist() == [new]


def test_a_word_has_its_own_window_and_weight(reader):
    recipe = PromptToPromptRecipe(num_inference_steps=10, cross_replace_steps=(0, 0.5))
    change = Change(target=SWAP, cross_replace_steps={"cat": (0.2, 1)}, weights={"beach": -1})
    found = plan(reader, SOURCE, change, recipe)
    expected = np.zeros((10, 77), bool)
    expected[:5] = True
    expected[:, 5] = [False, False, *[True] * 8]
    np.testing.assert_array_equal(found.window, expected)
    assert found.weights[8] == -1
    assert (np.delete(found.weights, 8) == 1).all()


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (Change(target=REFINED, alignment="swap"), "has 8 words and .* 9: a swap needs as many"),
        (Change(target=SWAP, weights={"dog": 2}), "'dog' is not among the words of .*cat"),
        (Change(target=SWAP, cross_replace_steps={"ox": (0, 1)}), "'ox' is not among the words"),
        (
            Change(target=SWAP, local_blend=LocalBlend(source=["cat"], target=["cat"])),
            "'cat' is not among the words of .*a dog",
        ),
        ("a " * 76, "cut at 77 tokens, not read: a"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(reader, target, sentence):
    with pytest.raises(BadInput, match=sentence):
        plan(reader, SOURCE, target, PromptToPromptRecipe())


@pytest.mark.parametrize(
    ("window", "steps", "expected"),
    [
        ((0, 0.8), 50, (0, 40)),
        ((0.29, 1), 100, (29, 100)),
        ((0, 0), 10, (0, 0)),
        ((0.2, 0.4), 25, (5, 10)),
        ((0.5, 0.5), 25, (12, 12)),
    ],
)
def test_windows_are_rounded_down(window, steps, expected):
    found = steps_of(window, steps)
    assert (found.start, found.stop) == expected


def test_windows_are_in_order_and_shares():
    for window in ((0.5, 0.4), (-0.1, 1), (0, 1.1), (0, 1, 1)):
        with pytest.raises(ValidationError, match="cross_replace_steps"):
            PromptToPromptRecipe(cross_replace_steps=window)
