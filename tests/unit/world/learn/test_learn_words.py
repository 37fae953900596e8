"""What the text encoder is asked for in its lesson."""

import numpy as np
import torch

from likeness.world.learn import words
from likeness.world.learn.recipe import BaseRecipe
from likeness.world.names import NAMED_PEOPLE
from likeness.world.sample import base_identity

MIXTURES = [stage.mixture for stage in BaseRecipe().stages]


def test_every_claim_of_new_captions_is_in_the_lexicon():
    lexicon = words.lexicon_of(MIXTURES)
    said = [words._caption(MIXTURES, index, 1).said for index in range(400)]
    for name in {key for one in said for key in one} - {"name"}:
        numbers = lexicon.claims(said, name)
        made = np.array([name in one for one in said])
        assert (numbers[~made] == words.UNSAID).all()
        assert (numbers[made] > words.UNSAID).mean() > 0.95, name


def test_a_name_is_who_bears_it():
    lexicon = words.lexicon_of(MIXTURES)
    assert len(lexicon.people) == NAMED_PEOPLE
    who = base_identity(7)
    rows = lexicon.traits([{"name": who.name}, {"style": "photo"}])
    assert rows[0, 0] == 1
    assert rows[0, 1] == (1 if who.sex == "male" else -1)
    np.testing.assert_allclose(rows[0, 2:], who.traits, rtol=1e-6)
    assert (rows[1] == 0).all()


def test_captions_are_read_from_their_end_on():
    end = 9
    tokens = torch.tensor([[1, 5, 9, 9, 9, 9], [1, 5, 6, 7, 8, 9]])
    seen = torch.arange(6.0).expand(2, 6)[..., None]  # each position says its number
    for seed in range(20):
        read = words._at_the_end(seen, tokens, torch.Generator().manual_seed(seed)).flatten()
        assert read[0] == 2
        assert 2 <= read[1] <= 5
        assert read[2:].tolist() == [5, 5]
    assert tokens[0, -1] == end
