"""The launchpad: an empty form is the study's recipe, and a wrong value is one sentence."""

import dagster as dg
import pytest
from pydantic import BaseModel, ValidationError

from assets_defs.classifier import RecipeForm, network
from assets_defs.edits import asked_of
from assets_defs.experiments import SamplingForm
from assets_defs.forms import overridden, overrides_of
from assets_defs.painters import PreparationForm
from assets_defs.results import readable_failures
from assets_defs.studies import registry
from likeness.classify.recipe import Recipe
from likeness.generate.sample import Sampling
from likeness.images.prepare import Preparation
from likeness.studies.editing import Editing
from resources.artifacts import Artifacts

FORMS = [(Recipe, RecipeForm), (Preparation, PreparationForm), (Sampling, SamplingForm)]


@pytest.mark.parametrize(("model", "form"), FORMS)
def test_a_form_leaves_nothing_out_and_adds_only_recompute(model: type[BaseModel], form):
    assert set(form.model_fields) == {*model.model_fields, "recompute"}
    for name, field in model.model_fields.items():
        assert form.model_fields[name].default is None
        assert form.model_fields[name].description.startswith(field.description)


def test_an_empty_form_is_what_the_study_says():
    for one in registry().networks.values():
        assert overridden(one.recipe, RecipeForm()) == one.recipe
    for one in registry().experiments.values():
        asked = one.method if isinstance(one, Editing) else one.sampling
        assert overridden(asked, SamplingForm()) == asked


def test_only_what_is_filled_in_changes():
    recipe = Recipe(architecture="tiles", epochs=7, seed=3)
    form = RecipeForm(epochs=9, recompute=True)
    assert overridden(recipe, form) == recipe.model_copy(update={"epochs": 9})


def test_zero_and_none_are_values_of_their_own():
    recipe = Recipe(weight_decay=0.5, class_weights="balanced")
    form = RecipeForm(weight_decay=0.0, class_weights="none")
    changed = overridden(recipe, form)
    assert (changed.weight_decay, changed.class_weights) == (0.0, "none")


def test_choices_are_an_enumeration_of_exactly_the_models_words():
    choice = RecipeForm(architecture="probe").architecture
    assert [member.value for member in type(choice)] == [
        *("tiles", "probe", "mobilenet", "efficientnet_b7", "efficientnet_v2l")
    ]
    assert overridden(Recipe(), RecipeForm(architecture="probe")).architecture == "probe"
    with pytest.raises(ValidationError, match="architecture"):
        RecipeForm(architecture="cubist")


def test_what_the_models_own_rules_forbid_is_refused_after_filling_in_too():
    form = overrides_of(Recipe, "Form")(weights="imagenet")
    with pytest.raises(ValidationError, match="'tiles' starts from nothing"):
        overridden(Recipe(architecture="tiles"), form)
    changed = overridden(Recipe(architecture="mobilenet"), form)
    assert changed.weights == "imagenet"


def failure_of(tmp_path, config):
    """The sentence with which the network's step fails for this launchpad entry."""
    artifacts = Artifacts(store_uri=str(tmp_path / "store"), state_dir=str(tmp_path))
    result = dg.materialize(
        [network],
        partition_key="cezanne__tiles",
        run_config={"ops": {"classifier__network": {"config": config}}},
        resources={"artifacts": artifacts},
        raise_on_error=False,
    )
    (event,) = result.get_step_failure_events()
    assert not result.retry_attempts_for_node("classifier__network")
    return event.step_failure_data.user_failure_data.description


def test_a_wrong_value_fails_the_step_with_its_name_and_bound(tmp_path):
    sentence = failure_of(tmp_path, {"epochs": -1})
    assert sentence == "epochs: Input should be greater than or equal to 1"


def test_an_input_that_is_not_there_yet_is_named_with_its_partition(tmp_path):
    sentence = failure_of(tmp_path, {"architecture": "probe"})
    assert sentence == "painters/paintings [small_master] is not there yet: materialise it first"


def test_what_is_filled_in_must_fit_the_rest_of_the_experiment(tmp_path):
    """Null-text was fitted at the study's guidance: edits at another would lose their sources."""
    key = "editing_bench__prompt_to_prompt__null_text"
    artifacts = Artifacts(store_uri=str(tmp_path / "store"), state_dir=str(tmp_path))
    with pytest.raises(dg.Failure) as failed, readable_failures():
        asked_of(artifacts, key, registry().experiments[key], "x", SamplingForm(guidance_scale=3))
    assert failed.value.description.startswith("'Prompt-to-Prompt")
    assert failed.value.description.endswith("say the same for both")
