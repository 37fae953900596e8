"""Edits as an image set: laws of the task, whatever the editor."""

import numpy as np
import pandas as pd
import pytest
import tiny_pipeline
from PIL import Image

from likeness.digests import sha256_file
from likeness.edit import tasks
from likeness.edit.change import Change
from likeness.edit.fitting import sampled
from likeness.edit.inversion import read_starts
from likeness.edit.start import decode, words_of
from likeness.edit.tasks import EditsParams, make_edits
from likeness.edit.wanted import Wanted
from likeness.errors import BadInput
from likeness.generate.sample import Denoising, Sampling, sample_batch
from likeness.images import image_set
from likeness.metrics.edit_pairs import EditPairsParams, score_edit_pairs
from likeness.metrics.edits import EditScoresParams, score_edits
from likeness.models.load import load_pipeline
from likeness.models.local import model_identity

DOG, CAT, RED = "a photo of a dog", "a photo of a cat", "a photo of a red dog"
PLUG = {
    "name": "plug_and_play",
    "layers": {"features": ["up_blocks.0.resnets.0"], "attention": ["up_blocks.0.attentions.1"]},
}
CONTROL = {"name": "prompt_to_prompt", "strengths": [1.0, 0.0]}
EDITORS = {"control": CONTROL, "features": PLUG, "regenerate": {"name": "regenerate"}}


def pairs(seeds=(3, 4, 5), **more):
    return [
        Wanted(
            pair_id=f"{seed}-{name}",
            kind="swap",
            edit=name,
            source_prompt=DOG,
            change=Change(target=target),
            seed=seed,
            **more,
        )
        for seed in seeds
        for name, target in (("cat", CAT), ("red", RED))
    ]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return tiny_pipeline.write_settings(tmp_path_factory.mktemp("edit-tasks"))


@pytest.fixture
def make(models, tmp_path, monkeypatch):
    """Calls ``make_edits``; its table and its pictures by file."""
    monkeypatch.setenv("LIKENESS_MODELS", str(models))

    def call(name, editor, wanted=None, batch=8, inputs=None, scratch=None, **more):
        params = EditsParams(
            model="tiny",
            identity=model_identity("tiny"),
            dtype="float16",
            resolution=16,
            editor=editor | ({} if editor["name"] == "imported" else {"num_inference_steps": 10}),
            pairs=wanted or pairs(),
            batch=batch,
            **more,
        )
        output = tmp_path / name
        output.mkdir()
        scratch = scratch or tmp_path / f"{name}-scratch"
        scratch.mkdir(exist_ok=True)
        call.summary = make_edits(params, inputs or {}, output, scratch)
        table = image_set.read(output)
        files = table["file"].dropna()
        return table, {file: pixels(output / file) for file in files}

    return call


def pixels(file):
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def furthest(one, other):
    assert one.keys() == other.keys()
    return max(np.abs(one[file] - other[file]).max() for file in one)


@pytest.mark.parametrize("editor", EDITORS.values(), ids=EDITORS)
def test_an_edit_does_not_depend_on_what_shares_its_batch(make, editor):
    together, pictures = make("together", editor)
    apart, alone = make("apart", editor, batch=1)
    assert furthest(pictures, alone) <= 1
    assert together["pair_id"].tolist() == apart["pair_id"].tolist()
    # nor on which other sources there are
    _, fewer = make("fewer", editor, pairs(seeds=(3,)))
    assert furthest({file: pictures[file] for file in fewer}, fewer) <= 1


def test_without_any_share_of_its_windows_control_is_plain_sampling(make):
    table, pictures = make("control", CONTROL)
    _, plain = make("plain", {"name": "regenerate"})
    for row in table[table["strength"] == 0].itertuples():
        free = plain[row.file.replace("-at-0", "")]
        assert np.abs(pictures[row.file] - free).max() <= 1
    kept = table[table["strength"] == 1]
    assert any(np.abs(pictures[f] - plain[f]).max() > 1 for f in kept["file"])


def test_without_control_pictures_are_those_of_the_prompt_and_the_seed(make, models):
    table, pictures = make("plain", {"name": "regenerate"})
    pipe = load_pipeline("tiny", "cpu")
    sampling = Sampling(num_inference_steps=10)
    for row in table.itertuples():
        wanted = sample_batch(pipe, [row.prompt], [int(row.seed)], sampling)[0]
        assert np.abs(pictures[row.file] - wanted).max() <= 1


def test_killed_work_goes_on_behind_the_batches_that_are_there(make, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    whole, pictures = make("whole", CONTROL, batch=2)
    kept, calls = tasks._keep, []

    def dies(*args):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(kept(*args))

    monkeypatch.setattr(tasks, "_keep", dies)
    with pytest.raises(KeyboardInterrupt):
        make("killed", CONTROL, batch=2, scratch=scratch)
    counted = []
    monkeypatch.setattr(tasks, "_keep", lambda *args: counted.append(kept(*args)))
    table, again = make("again", CONTROL, batch=2, scratch=scratch)
    assert len(counted) == 1
    assert furthest(pictures, again) == 0
    assert table.equals(whole)
    # the maps were drawn before the kill
    assert (tmp_path / "again" / "maps.jpg").is_file()


def test_what_a_study_asks_wrongly_of_drawn_sources_stops_the_work(make):
    wrong = [
        one.model_copy(update={"change": Change(target=CAT, weights={"dog": 2})}) for one in pairs()
    ]
    with pytest.raises(BadInput, match="'dog' is not among the words of the prompt 'a photo of a"):
        make("wrong", CONTROL, wrong)


def write_bench(folder, count):
    """An image set of squares; its ids."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(count):
        made = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        name = f"{number:016x}"
        Image.fromarray(made).save(folder / "images" / f"{name}.png")
        row = {"image_id": name, "file": f"images/{name}.png", "width": 16, "height": 16}
        rows.append(row | {"status": "accepted"})
    image_set.write(folder, image_set.frame(rows))
    return [row["image_id"] for row in rows]


def of_bench(ids):
    return [
        Wanted(
            pair_id=f"{number:016x}",
            source_prompt=DOG,
            change=Change(target=CAT),
            seed=number,
            image_id=name,
        )
        for number, name in enumerate(ids)
    ]


def test_a_pair_that_cannot_be_edited_is_a_row_with_its_reason(make, tmp_path):
    ids = write_bench(tmp_path / "bench", 3)
    wanted = of_bench(ids)
    wanted[1] = wanted[1].model_copy(update={"reason": "its photo is missing"})
    (tmp_path / "mine").mkdir()
    Image.radial_gradient("L").save(tmp_path / "mine" / f"{wanted[0].pair_id}.jpg")
    (tmp_path / "mine" / f"{wanted[2].pair_id}.png").write_bytes(b"no picture")
    table, _ = make(
        "edited",
        {"name": "imported", "folder": "mine"},
        wanted,
        inputs={"sources": tmp_path / "bench", "imported": tmp_path / "mine"},
        imported=listed(tmp_path / "mine"),
    )
    edits = table[table["role"] == "edit"]
    assert edits["status"].tolist() == ["accepted", "rejected", "rejected"]
    assert edits["reason"].tolist()[1] == "its photo is missing"
    assert "picture" in edits["reason"].tolist()[2]
    assert edits["file"].isna().tolist() == [False, True, True]
    sources = table[table["role"] == "source"]
    assert sources["image_id"].tolist() == ids
    assert make.summary["rejected"] == 2


def test_a_picture_that_was_not_inverted_is_not_edited(make, tmp_path):
    ids = write_bench(tmp_path / "bench", 2)
    with pytest.raises(BadInput, match="no pair can be edited: its picture could not be inverted"):
        make("edited", CONTROL, of_bench(ids), inputs={"sources": tmp_path / "bench"})


def test_published_edits_are_found_by_what_their_bench_calls_the_pair(make, tmp_path):
    wanted = of_bench(write_bench(tmp_path / "bench", 3))
    label = "dog2_standing.jpeg-A_photo_of_a_sitting_dog."
    wanted[0] = wanted[0].model_copy(update={"label": label})
    wanted[1] = wanted[1].model_copy(update={"label": label.upper().replace("DOG2", "Cat1")})
    # the texts of the list end with a full stop, the files do not
    shades = {f"{label}png": 40, "cat1_standing.JPEG-a_photo_of_a_SITTING_dog.PNG": 80}
    shades[f"{wanted[2].pair_id}.png"] = 120
    (tmp_path / "theirs").mkdir()
    for name, shade in shades.items():
        # neither small nor of one colour, which no picture is
        picture = np.full((64, 64), shade, np.uint8)
        picture[:32, :], picture[32:, :] = shade - 20, shade + 20
        Image.fromarray(picture).save(tmp_path / "theirs" / name)
        # many generators leave such a text beside each picture
        (tmp_path / "theirs" / name).with_suffix(".json").write_text("{}")
    table, pictures = make(
        "edited",
        {"name": "imported", "folder": "theirs"},
        wanted,
        inputs={"sources": tmp_path / "bench", "imported": tmp_path / "theirs"},
        imported=listed(tmp_path / "theirs"),
    )
    edits = table[table["role"] == "edit"]
    assert edits["status"].tolist() == ["accepted"] * 3
    assert [pictures[file].mean() for file in edits["file"]] == [40, 80, 120]


def listed(folder):
    """As an experiment's parameters name the files of a folder."""
    return {file.name: sha256_file(file) for file in folder.iterdir()}


@pytest.fixture
def import_from(make, tmp_path):
    """Imports edits of three pairs from a folder with these files, as it was listed before."""
    wanted = of_bench(write_bench(tmp_path / "bench", 3))
    folder = tmp_path / "theirs"
    folder.mkdir()

    def call(imported):
        inputs = {"sources": tmp_path / "bench", "imported": folder}
        editor = {"name": "imported", "folder": "theirs"}
        table, _ = make("edited", editor, wanted, inputs=inputs, imported=imported)
        return table[table["role"] == "edit"]

    call.files = [folder / f"{pair.pair_id}.png" for pair in wanted]
    for file in call.files:
        Image.radial_gradient("L").save(file)
    return call


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda file: file.write_bytes(file.read_bytes() + b"0"), "was changed after it was lis"),
        (lambda file: file.unlink(), "cannot be read any more"),
    ],
    ids=["changed", "gone"],
)
def test_edits_are_not_imported_from_a_file_that_has_changed_since(import_from, change, sentence):
    """Nor is it a row with a reason: the table would be kept for the files of before."""
    before = listed(import_from.files[0].parent)
    change(import_from.files[1])
    name = import_from.files[1].name
    with pytest.raises(BadInput, match=f"{name} {sentence}.*: materialise images/made again"):
        import_from(before)


def test_only_files_that_were_listed_and_not_refused_are_imported(import_from):
    first, second, _ = import_from.files
    edits = import_from({first.name: listed(first.parent)[first.name], second.name: ""})
    assert edits["status"].tolist() == ["accepted", "rejected", "rejected"]
    assert edits["reason"].tolist()[1:] == [
        "its file is empty, cannot be read or leads out of the folder",
        "there is no picture of its name in the folder",
    ]


def inverted(folder, ids, null_text=False):
    """Random trajectories of ten steps for these pictures, as an inversion leaves them."""
    import torch
    from safetensors.torch import save_file

    (folder / "inverted").mkdir(parents=True)
    rows = []
    for number, name in enumerate(ids):
        torch.manual_seed(number)
        file = f"inverted/{name}.safetensors"
        fitted = {"null_text": torch.randn(10, 77, 16)} if null_text else {}
        save_file({"trajectory": torch.randn(11, 4, 8, 8)} | fitted, folder / file)
        rows.append({"image_id": name, "inverted": file, "prompt": DOG, "status": "accepted"})
    image_set.write(folder, image_set.frame(rows, {"inverted": "string"}))
    return folder


def test_layers_that_a_model_does_not_have_are_the_reason_of_every_row(make, tmp_path):
    ids = write_bench(tmp_path / "bench", 2)
    inputs = {"sources": tmp_path / "bench", "inverted": inverted(tmp_path / "inv", ids)}
    missing = PLUG | {"layers": {"features": ["up_blocks.9.resnets.0"], "attention": []}}
    table, _ = make("edited", missing, of_bench(ids), inputs=inputs)
    edits = table[table["role"] == "edit"]
    assert edits["status"].tolist() == ["rejected"] * 2
    sentence = "layer up_blocks.9.resnets.0 is no layer of features in this model: say up_blocks.0"
    assert edits["reason"].str.startswith(sentence).all()
    assert (table["role"] == "source").sum() == 2
    # and its measures are empty, not an error
    for call, params, name, inputs in (
        (score_edit_pairs, EditPairsParams(), "pairs", {}),
        (score_edits, EditScoresParams(), "scores", {"pairs": tmp_path / "pairs"}),
    ):
        (tmp_path / name).mkdir()
        call(params, inputs | {"made": tmp_path / "edited"}, tmp_path / name, tmp_path)
    scores = pd.read_parquet(tmp_path / "scores" / "scores.parquet")
    assert scores["value"].isna().all()


def test_with_plain_inversion_sources_are_sampled_from_the_inverted_noise(make, tmp_path):
    """Direct inversion shows the picture that was inverted; without it, what its noise becomes."""
    import torch

    ids = write_bench(tmp_path / "bench", 1)
    inputs = {"sources": tmp_path / "bench", "inverted": inverted(tmp_path / "inv", ids)}
    shown = {}
    for inversion in ("direct", "ddim"):
        make(inversion, CONTROL, of_bench(ids), inputs=inputs, inversion=inversion)
        shown[inversion] = pixels(tmp_path / inversion / "maps" / "source" / "picture.png")
    start = read_starts(inputs["inverted"])[ids[0]]
    pipe = load_pipeline("tiny", "cpu")
    ten = Denoising(num_inference_steps=10)
    with torch.no_grad():
        words = words_of(pipe, [DOG], "", ten.guidance_scale)
        free = decode(pipe, sampled(pipe, start.noise[None], words, ten, lambda: None))[0]
    held = decode(pipe, start.trajectory[:1])[0]
    assert np.abs(shown["direct"] - held).max() <= 1
    assert np.abs(shown["ddim"] - free).max() <= 1
    assert np.abs(shown["ddim"] - held).max() > 1


def test_a_source_that_was_inverted_with_other_words_is_sampled_with_these_or_not_at_all(
    make, tmp_path
):
    ids = write_bench(tmp_path / "bench", 1)
    plain = inverted(tmp_path / "plain", ids)
    fitted = inverted(tmp_path / "fitted", ids, null_text=True)
    wanted = of_bench(ids)
    wanted.append(wanted[0].model_copy(update={"pair_id": "second", "source_prompt": "a dog"}))
    for name, folder, inversion, status in (
        ("direct", plain, "direct", "accepted"),
        ("null-text", fitted, "direct", "rejected"),
        ("ddim", plain, "ddim", "rejected"),
    ):
        inputs = {"sources": tmp_path / "bench", "inverted": folder}
        table, _ = make(name, CONTROL, wanted, inputs=inputs, inversion=inversion)
        edits = table[table["role"] == "edit"].set_index("pair_id")
        assert set(edits.loc["second", "status"]) == {status}
        # of each pair its own words, whichever its picture was inverted with
        assert set(edits.loc["second", "source_prompt"]) == {"a dog"}
        assert set(edits.loc[wanted[0].pair_id, "source_prompt"]) == {DOG}
    assert "give all pairs of a picture one source prompt" in edits.loc["second", "reason"].iloc[0]
    assert set(edits.loc[wanted[0].pair_id, "status"]) == {"accepted"}


def test_all_edits_of_one_source_go_in_batches_too(make):
    whole, pictures = make("whole", CONTROL, pairs(seeds=(3,)))
    parts, same = make("parts", CONTROL, pairs(seeds=(3,)), batch=1)
    assert whole["file"].tolist() == parts["file"].tolist()
    for file in whole["file"]:
        assert np.abs(pictures[file].astype(int) - same[file]).max() <= 1
    every = tasks._batches(
        pairs(seeds=(3, 4)),
        tasks.EditsParams.model_construct(editor=tasks.PromptToPrompt(), batch=1),
    )
    assert [len(one) for one in every] == [1, 1, 1, 1]


def test_a_word_with_a_window_of_its_own_is_let_go_with_the_others(make):
    """Strength 0 is plain sampling, whatever windows words have."""
    own = {"cross_replace_steps": {"cat": (0.0, 1.0)}}
    held = [
        pair.model_copy(update={"change": Change(target=CAT, **own)}) for pair in pairs(seeds=(3,))
    ][:1]
    plain, without = make("plain", CONTROL, pairs(seeds=(3,))[:1])
    table, pictures = make("held", CONTROL, held)
    last = table.loc[(table["role"] == "edit") & (table["strength"] == 0), "file"].item()
    other = plain.loc[(plain["role"] == "edit") & (plain["strength"] == 0), "file"].item()
    assert np.abs(pictures[last].astype(int) - without[other]).max() <= 1
