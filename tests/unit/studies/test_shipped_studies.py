"""The studies that ship: what each asks, of whom."""

import pytest
from transformers import CLIPTokenizer

from likeness.edit.editors import strengths_of
from likeness.models.registry import PACKAGE
from likeness.studies.check import mistakes_in
from likeness.studies.load import SHIPPED, load_registry
from likeness.world.tokenizer import unknown_words


def test_the_shipped_studies_load_and_the_demo_runs_keys_of_others():
    registry = load_registry()
    assert {"cezanne", "cezanne_real", "demo"} <= set(registry.studies)
    keys = registry.keys_of("demo")
    assert set(keys.networks) <= set(registry.networks)
    assert set(keys.painters) >= {registry.networks[key].painter for key in keys.networks}
    assert set(keys.experiments) <= set(registry.experiments)
    assert set(keys.models) == {registry.experiments[key].model for key in keys.experiments}
    taught = [registry.experiments[key] for key in keys.experiments]
    assert [one.method.split for one in taught if one.method.name == "dreambooth"] == [
        *("child_02", "all_02")
    ]
    assert sum(one.method.name == "textual_inversion" for one in taught) == 1


def test_the_demo_edits_the_sets_and_pairs_of_the_studies_in_fewer_steps():
    registry = load_registry()
    mine, sets, bench = (
        registry.studies[name].edits for name in ("demo", "prompt_to_prompt", "editing_bench")
    )
    drawn = {"landscape", "landscape__regenerate", "boy", "car"}
    assert set(mine) == drawn | {
        "prompt_to_prompt",
        "plug_and_play",
        "hiper",
        "imagic",
        "regenerate",
    }
    for name in drawn:
        theirs = sets[name if name in sets else f"{name}__prompt_to_prompt"]
        assert mine[name].edits == theirs.edits
        assert mine[name].source == theirs.source.model_copy(update={"seeds": [0, 1]})
        changed = differing(mine[name].method, theirs.method)
        assert changed <= {"num_inference_steps", "strengths"}
    for name in set(mine) - drawn:
        assert differing(mine[name].method, bench[name].method) <= {
            *("num_inference_steps", "fitting", "embedding", "unet")
        }
    pairs = {name: mine[name].bench.pairs for name in set(mine) - drawn}
    assert pairs == {"hiper": 4, "imagic": 4} | dict.fromkeys(
        ("prompt_to_prompt", "plug_and_play", "regenerate"), 10
    )
    assert {(one.method.num_inference_steps, one.batch) for one in mine.values()} == {(25, 8)}


def differing(one, other):
    """The fields in which two recipes of one kind differ."""
    assert type(one) is type(other)
    theirs = other.model_dump()
    return {name for name, value in one.model_dump().items() if value != theirs[name]}


def test_the_bench_edits_forty_pairs_at_one_strength_and_eight_along_each_knob():
    found = load_registry().studies["editing_bench"].edits
    curves = {name: one for name, one in found.items() if name.startswith("curve__")}
    eight = {*curves, "prompt_to_prompt__null_text"}
    for name, one in found.items():
        assert one.bench.pairs == (8 if name in eight else 40)
        assert one.batch == 8
        turned = 5 if name in curves and name != "curve__regenerate" else 1
        assert len(strengths_of(one.method)) == turned
    for name, one in curves.items():
        main = found[name.removeprefix("curve__")]
        assert differing(one.method, main.method) <= {"strengths"}
        # tables compare the same strength in both
        assert strengths_of(one.method)[0] == strengths_of(main.method)[0]


def test_at_full_scale_editors_take_the_published_steps():
    studies = load_registry().studies
    for name, editors in (("editing_bench_full", 7), ("editing_bench_sd15", 6)):
        found = studies[name].edits
        assert len(found) == editors
        assert found["hiper"].method.fitting.steps == 1000
        # 20 substeps between each two of 50 steps: of 1000 timesteps all that can be taken
        assert found["plug_and_play"].inverted_as.substeps == 1000 // 50
        assert found["prompt_to_prompt__null_text"].inverted_as.null_text.inner_steps == 10
        assert {one.batch for one in found.values()} == {8}
    full, tedbench = (studies[name].edits for name in ("editing_bench_full", "editing_bench_sd15"))
    imagic = full["imagic"].method
    assert (imagic.embedding.steps, imagic.unet.steps) == (1000, 1500)
    assert {(one.model, one.bench.pairs) for one in full.values()} == {("small", 100)}
    assert {(one.model, one.edited) for one in tedbench.values()} == {("sd15", "tedbench")}
    assert all(one.raw_folders for one in tedbench.values())
    assert tedbench["imagic__published"].method.name == "imported"
    for name in ("editing_bench", "editing_bench_full", "editing_bench_sd15"):
        assert mistakes_in(SHIPPED / f"{name}.yaml") == []


def test_the_time_machine_asks_every_model_for_ten_ages_and_the_class():
    registry = load_registry()
    keys = registry.keys_of("time_machine")
    assert keys.subjects == ["small_person"]
    assert keys.models == ["small"]
    found = [registry.experiments[key] for key in keys.experiments]
    splits = [split.name for split in registry.subjects["small_person"].splits.splits]
    assert [getattr(one.method, "split", None) for one in found] == [None, *splits]
    assert len(splits) == 6
    ages = [0, 5, 15, 25, 35, 45, 55, 65, 75, 85]
    for one in found:
        asked = one.asked
        assert [a.age for a in asked if a.role == "ages"] == ages
        assert [a.age for a in asked if a.role == "ages_bright"] == ages
        scenes, of_class = ([a for a in asked if a.role == role] for role in ("scenes", "class"))
        assert len(asked) == 20 + len(scenes) + len(of_class)
        assert {a.age for a in scenes + of_class} == {None}
        assert all(one.called in a.prompt for a in scenes)
        assert not any("sks" in a.prompt for a in of_class)
        # leakage into others rests on so many pictures
        assert sum(len(a.seeds) for a in of_class) == 24
        seeds = [seed for a in asked for seed in a.seeds]
        assert seeds == list(range(3 * len(asked)))
        assert not any("{" in a.prompt for a in asked)
    baseline, *taught = found
    assert all(" a man as " in a.prompt for a in baseline.asked[:10])
    for one in taught:
        assert all(" sks man as " in a.prompt for a in one.asked[:10])
        assert one.method.prior_loss_weight > 0


def test_every_wish_differs_from_the_baseline_in_one_thing():
    registry = load_registry()
    keys = registry.keys_of("cezanne_wishes").experiments
    initializer, baseline, *wishes = (registry.experiments[key] for key in keys)
    assert initializer.method.name == "base"
    fields = baseline.method.model_dump()
    for wish in wishes:
        assert [one.prompt for one in wish.asked] == [one.prompt for one in baseline.asked]
        changed = [
            name for name, value in wish.method.model_dump().items() if value != fields[name]
        ]
        assert len(changed) == 1
    judged = registry.painters["wished_master"].experiments
    assert set(judged) == set(keys)


def test_at_full_scale_the_time_machine_asks_the_same():
    """By the same two sets of words, of Stable Diffusion, and of one more model by LoRA."""
    registry = load_registry()
    small, full = (registry.keys_of(name) for name in ("time_machine", "time_machine_sd15"))
    assert full.models == ["sd15"]
    assert len(full.experiments) == len(small.experiments) + 1
    for one, other in zip(small.experiments, full.experiments, strict=False):
        theirs, ours = registry.experiments[one], registry.experiments[other]
        lines = {a.prompt for a in ours.asked if a.role != "scenes"}
        assert lines == {a.prompt for a in theirs.asked if a.role != "scenes"}
        assert getattr(theirs.method, "split", None) == getattr(ours.method, "split", None)
    assert registry.experiments[full.experiments[-1]].method.trains != "full"


def test_models_of_the_time_machine_differ_in_nothing_but_their_photos():
    registry = load_registry()
    taught = [
        one
        for key, one in registry.experiments.items()
        if key.startswith("time_machine__") and one.method.name == "dreambooth"
    ]
    assert len({one.method.recipe.model_dump_json() for one in taught}) == 1
    # who judges is the small world's own, or the published network
    assert {one.method.clip for one in taught} == {"small-clip"}
    full = registry.keys_of("time_machine_sd15").experiments[1:]
    assert {registry.experiments[key].method.clip for key in full} == {"clip-vit-l-14"}
    assert len({(one.model, one.called, one.sampling.model_dump_json()) for one in taught}) == 1


def test_the_word_study_asks_the_published_prompts_and_judges_a_hundred_pictures_of_each():
    registry = load_registry()
    word = registry.experiments["cezanne_word__word"]
    painter = registry.painters[word.painter]
    judged = [one for one in word.asked if one.role.startswith("TISD")]
    assert {one.prompt for one in judged} == {
        name for name in (painter.tests[f"TISD{number}"].name for number in (1, 2, 3, 4))
    }
    assert [(one.role, len(one.seeds)) for one in judged] == [
        (f"TISD{number}", 100) for number in (1, 2, 3, 4)
    ]
    initializer = registry.experiments["cezanne_word__initializer"]
    assert [one.prompt for one in initializer.asked] == [
        one.prompt.replace("<Cézanne>", "cezanne") for one in word.asked
    ]
    seeds = {
        seed
        for asked in [word.asked, *(one.asked for one in painter.sampled.values())]
        for one in asked
        for seed in one.seeds
    }
    assert len(seeds) == 400 + 4 * 64 + 200
    assert painter.tests["MASTER_REBUILT"].rebuilt.of == "MASTER"


@pytest.mark.parametrize(
    ("key", "figure", "each"),
    [
        ("cezanne_word__word", "a dog", 64),
        ("cezanne_sd2__word", "Elmo", 64),
        ("cezanne_wishes__baseline", "a dog", 32),
    ],
)
def test_reconstruction_and_editability_rest_on_prompts_of_their_own(key, figure, each):
    """Gal et al. 2022 ask for 64 pictures of "A photo of S*", and of three harder prompts."""
    one = load_registry().experiments[key]
    wanted = [
        ("reconstruction", "A painting in the style of {}"),
        ("editability", "A painting of the moon in the style of {}"),
        ("editability", "An oil painting in the style of {}"),
        ("editability", f"A painting of {figure} in the style of {{}}"),
    ]
    asked = [a for a in one.asked if not a.role.startswith("TISD")]
    assert [(a.role, a.prompt) for a in asked] == [(r, p.format(one.called)) for r, p in wanted]
    assert {len(a.seeds) for a in asked} == {each}


def test_the_small_world_knows_every_word_that_the_learned_one_is_asked_with():
    tokenizer = CLIPTokenizer.from_pretrained(PACKAGE / "world/weights/base/tokenizer")
    for key in ("cezanne_word__initializer", "cezanne_wishes__initializer"):
        for one in load_registry().experiments[key].asked:
            if one.role in ("reconstruction", "editability"):
                assert unknown_words(tokenizer, one.prompt) == []


def test_at_full_scale_the_word_reads_the_same_folders_as_the_real_judges():
    painters = load_registry().painters
    mine, real = painters["cezanne_painted"], painters["cezanne"]
    for label in (0, 1, 4):
        assert mine.classes[label].folders == real.classes[label].folders
    assert list(mine.sampled) == ["2", "3"]
    method = load_registry().experiments["cezanne_sd2__word"].method
    assert mine.tests[method.pictures.label].folders == ["textual_inversion"]


def test_published_figures_stand_beside_the_learned_word_as_beside_the_real_judges():
    studies = load_registry().studies
    real = studies["cezanne_real"].published
    for name in ("cezanne_word", "cezanne_sd2"):
        assert studies[name].published.rates == real.rates
        assert studies[name].published.verdicts == real.verdicts
