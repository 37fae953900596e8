"""The studies that ship: what each asks, of whom."""

from likeness.studies.load import load_registry


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
    judged = [one for one in word.asked if one.role != "edit"]
    assert {one.prompt for one in judged} == {
        name for name in (painter.tests[f"TISD{number}"].name for number in (1, 2, 3, 4))
    }
    assert [(one.role, len(one.seeds)) for one in judged] == [
        (f"TISD{number}", 100) for number in (1, 2, 3, 4)
    ]
    edits = [one.prompt for one in word.asked if one.role == "edit"]
    assert len(edits) == 3
    assert all("<Cézanne>" in prompt for prompt in edits)
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
    assert len(seeds) == 900
    assert painter.tests["MASTER_REBUILT"].rebuilt.of == "MASTER"
