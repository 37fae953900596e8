"""Recipes of learned words: what they say, and what cannot work."""

import pytest
import short_words
from short_words import JUDGED

from likeness.finetune.templates import PLAIN, PUBLISHED
from likeness.finetune.ti_recipe import TextualInversionRecipe


@pytest.fixture
def recipe():
    return short_words.recipe


def test_the_rate_is_scaled_by_hand(recipe):
    fields = {"learning_rate": 5e-4, "batch": 4, "gradient_accumulation_steps": 3}
    assert recipe(scale_lr=True, **fields).plan.learning_rate == pytest.approx(6e-3)
    assert recipe(scale_lr=False, **fields).plan.learning_rate == 5e-4
    assert recipe().plan.schedule == "constant"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"placeholder_token": "<Cézanne>", "num_vectors": 2}, "write '<cézanne>'"),
        ({"placeholder_token": "<paul cézanne>"}, "without spaces"),
        ({"learning_rate": 0.5, "batch": 4}, "the scaled learning rate is 2: lower"),
        ({"templates": []}, "at least 1 item"),
        ({"templates": ["a photo"]}, "the template 'a photo' needs {} once"),
        ({"templates": ["{} and {}"]}, "needs {} once"),
        ({"judged": {"prompts": ["a red dog"]}}, "'a red dog' has no <cézanne>"),
    ],
)
def test_a_recipe_that_cannot_work_says_why(recipe, fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        recipe(**fields)


def test_a_recipe_is_read_back_as_it_was_written(recipe):
    # é as two letters, as some file systems and keyboards give it
    wanted = recipe(judged=JUDGED, placeholder_token="<ce\u0301zanne>", ema=0.99)
    assert wanted.placeholder_token == "<cézanne>"
    assert TextualInversionRecipe.model_validate_json(wanted.model_dump_json()) == wanted
    assert wanted.without_token("A photo of <cézanne> on beach") == "A photo of on beach"


def test_the_small_world_knows_the_plain_templates(tmp_path, recipe):
    from transformers import CLIPTokenizer

    from likeness.finetune import templates
    from likeness.world.grammar import vocabulary
    from likeness.world.tokenizer import unknown_words, write_tokenizer

    write_tokenizer(vocabulary(), tmp_path)
    tokenizer = CLIPTokenizer.from_pretrained(tmp_path)

    def unknown(lists):
        sentences = [one for sentences in lists.values() for one in sentences]
        return sorted(unknown_words(tokenizer, " ".join(sentences)))

    assert unknown(PLAIN) == []
    listed = templates.__doc__.split("does not know: ")[1].replace("\n", " ").rstrip(". ")
    assert unknown(PUBLISHED) == listed.split(", ")
    assert {name: len(some) for name, some in PUBLISHED.items()} == {"object": 27, "style": 19}
    every = [one for lists in (PLAIN, PUBLISHED) for some in lists.values() for one in some]
    assert all(one.count("{}") == 1 for one in every)
    wanted = recipe(templates="plain", learnable_property="style")
    assert wanted.sentences[0] == "a painting in the style of <cézanne>"
