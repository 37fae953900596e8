"""The table of edit pairs: what is written is read, and what does not fit is refused."""

import pandas as pd
import pytest
from pydantic import ValidationError

from likeness.bench.pairs import TABLE, EditPair, accepted, pair_id, read_pairs, write_pairs
from likeness.errors import BadInput
from likeness.images import image_set

IMAGE = "0123456789abcdef"
GOOD = {
    "pair_id": pair_id(IMAGE, "a dog", "a cat"),
    "kind": "replace",
    "label": "first",
    "image_id": IMAGE,
    "source_prompt": "a dog",
    "target_prompt": "a cat",
    "mask": "masks/0.png",
    "after": "after/0.png",
    "was": {"thing_kind": "dog"},
    "asked": {"thing_kind": "cat"},
    "kept": {"place": "beach", "glasses": "no"},
}
KNOWN = ("was", "asked", "kept")


@pytest.fixture
def bench(tmp_path):
    image_set.write(tmp_path, image_set.frame([{"image_id": IMAGE, "status": "accepted"}]))
    return tmp_path


def refused():
    return EditPair(pair_id="f" * 16, status="rejected", reason="there is no such photo")


def test_what_is_written_is_read(bench):
    bare = {k: v for k, v in GOOD.items() if k not in (*KNOWN, "mask", "after")}
    bare |= {"pair_id": "a" * 16, "source_prompt": "", "reason": "no source prompt"}
    pairs = [EditPair(**GOOD), EditPair(**bare), refused()]
    write_pairs(bench, pairs)
    assert read_pairs(bench) == pairs
    assert accepted(read_pairs(bench)) == pairs[:2]


def test_an_id_is_of_the_picture_and_both_prompts():
    first = pair_id(IMAGE, "a dog", "a cat")
    assert first == pair_id(IMAGE, "a dog", "a cat")
    others = {pair_id(IMAGE, "a cat", "a dog"), pair_id("f" * 16, "a dog", "a cat")}
    assert len(others | {first, pair_id(IMAGE, "a dog a", "cat")}) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_id": None}, "needs a source picture"),
        ({"target_prompt": " "}, "needs a source picture and a target prompt"),
        ({"status": "rejected"}, "needs a reason"),
        ({"was": None}, "known together"),
        ({"was": {"place": "sea"}}, "otherwise in the source"),
        ({"asked": {"thing_kind": "dog"}}, "otherwise in the source"),
        ({"kept": {"thing_kind": "cat"}}, "both change and be kept"),
        ({"mask": "../mask.png"}, "pattern"),
        ({"after": "masks/0.png"}, "pattern"),
        ({"status": "perhaps"}, "'accepted' or 'rejected'"),
    ],
)
def test_a_pair_that_contradicts_itself_is_refused(change, said):
    with pytest.raises(ValidationError, match=said):
        EditPair(**GOOD | change)


def test_pairs_have_to_fit_their_pictures_and_be_there_once(bench):
    with pytest.raises(BadInput, match="no accepted image"):
        write_pairs(bench, [EditPair(**GOOD | {"image_id": "e" * 16})])
    with pytest.raises(BadInput, match="twice"):
        write_pairs(bench, [EditPair(**GOOD), EditPair(**GOOD)])


def test_a_folder_or_table_of_another_form_is_refused(bench):
    with pytest.raises(BadInput, match="no bench"):
        read_pairs(bench)
    write_pairs(bench, [EditPair(**GOOD)])
    table = pd.read_parquet(bench / TABLE)
    for changed, said in (
        (table.drop(columns="after"), "no column after"),
        (table.assign(asked="{"), "cannot be used"),
        (table.assign(kept='["place"]'), "cannot be used"),
    ):
        changed.to_parquet(bench / TABLE)
        with pytest.raises(BadInput, match=said):
            read_pairs(bench)
