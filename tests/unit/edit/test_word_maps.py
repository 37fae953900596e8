import numpy as np
import pytest
import tiny_pipeline

from likeness.edit.attention import MapStore
from likeness.edit.change import Change, LocalBlend, PromptToPromptRecipe
from likeness.edit.maps import save_word_maps
from likeness.edit.prompt_to_prompt import edit, edit_with_maps
from likeness.edit.start import from_seed
from likeness.errors import BadInput

SOURCE = "a photo of a dog on a beach"
SWAP, LONGER, REFINED = (
    "a photo of a cat on a beach",
    "a photo of a yak on a beach",
    "a red photo of a dog on a beach",
)
BLEND = LocalBlend(source=["dog"], target=["yak"])


@pytest.fixture(scope="module")
def pipe(tmp_path_factory):
    from likeness.models.load import load_folder, on_device

    folder = tiny_pipeline.write(tmp_path_factory.mktemp("maps") / "model")
    return on_device(load_folder(folder, "float32"), "cpu")


def recipe(**changes):
    fields = {"num_inference_steps": 10, "guidance_scale": 5.0}
    return PromptToPromptRecipe(**fields | changes)


def test_a_blend_of_negative_weight_is_where_the_word_is(pipe):
    changes = [
        Change(target=LONGER, local_blend=BLEND, weights={"yak": weight}) for weight in (1, -1)
    ]
    start = from_seed(pipe, 7)
    asked = recipe(cross_replace_steps=(0, 1))
    kept = [edit_with_maps(pipe, [start], [SOURCE], [one], asked).edited_maps[0] for one in changes]
    np.testing.assert_allclose(kept[0].attention, kept[1].attention, atol=1e-6)
    assert (kept[1].attention >= 0).all()


def test_maps_are_kept_only_when_asked_and_change_nothing(pipe, monkeypatch, tmp_path):
    start = from_seed(pipe, 7)
    made = edit(pipe, [start] * 2, [SOURCE] * 2, [SWAP, REFINED], recipe())
    kept = edit_with_maps(pipe, [start] * 2, [SOURCE] * 2, [SWAP, REFINED], recipe())
    np.testing.assert_array_equal(kept.edited, made.edited)
    np.testing.assert_array_equal(kept.source, made.source)
    for maps in (*kept.source_maps, *kept.edited_maps):
        assert maps.attention.shape == (4, 4, 77)
        assert (maps.attention >= 0).all()
    np.testing.assert_allclose(kept.source_maps[0].attention.sum(-1), 1, atol=1e-5)
    red = kept.edited_maps[1].picture("red", 16)
    assert red.shape == (16, 16)
    assert red.dtype == np.uint8
    assert red.max() > 200
    with pytest.raises(BadInput, match="'red' is not among the words"):
        kept.source_maps[1].picture("red", 16)
    sheet = save_word_maps(kept.edited_maps[1], kept.edited[1], tmp_path / "maps")
    names = sorted(file.name for file in (tmp_path / "maps").iterdir())
    assert names == [
        "00-a.png",
        "01-red.png",
        "02-photo.png",
        "03-of.png",
        "04-dog.png",
        "05-on.png",
        "06-beach.png",
        "picture.png",
    ]
    assert sheet.width > 8 * 128

    def refuse(*_):
        raise AssertionError("nobody asked for maps")

    monkeypatch.setattr(MapStore, "add", refuse)
    edit(pipe, [start], [SOURCE], [SWAP], recipe())
