from types import SimpleNamespace

import pytest
import small_tasks

from likeness.studies.load import Registry
from likeness.studies.schema import Study
from resources.step import Step
from resources.summaries import Current, _experiment

KEY = "mine__plain"
REGISTRY = Registry(
    studies={
        "mine": Study.model_validate(
            {
                "name": "mine",
                "title": "Mine",
                "experiments": {
                    "plain": {"title": "p", "model": "small", "prompts": ["a"], "seeds": [0]}
                },
            }
        )
    }
)


@pytest.fixture
def keep(tmp_path):
    artifacts = small_tasks.artifacts(tmp_path / "state", "inline")

    def kept(asset, key, text, **inputs):
        (tmp_path / "found").mkdir(exist_ok=True)
        (tmp_path / "found" / "found.txt").write_text(text)
        one = Step(asset=asset, function="resources.task:call", modules=(), libraries=())
        made = artifacts.keep(one, key, tmp_path / "found", {"method": "base"}, inputs)
        artifacts.adopt(made)
        return made.manifest

    kept.artifacts = artifacts
    return kept


def test_pictures_are_stale_as_soon_as_anything_before_them_has_changed(keep):
    def made():
        found = Current(keep.artifacts, REGISTRY).made(KEY)
        return found and found.content

    old = keep("models/base", "small", "old")
    model = keep("models/finetuned", KEY, "old", base=old)
    pictures = keep("images/made", KEY, "old", model=model)
    assert made() == pictures.content
    new = keep("models/base", "small", "new")
    assert made() is None
    model = keep("models/finetuned", KEY, "new", base=new)
    assert made() is None
    pictures = keep("images/made", KEY, "new", model=model)
    assert made() == pictures.content


def test_an_experiment_is_told_as_it_was_made_and_else_as_the_study_says():
    sampling = {"num_inference_steps": 50, "guidance_scale": 2.0}
    pictures = SimpleNamespace(params={"sampling": sampling, "model": "sd15"})
    manifests = {"models/finetuned": SimpleNamespace(summary={"method": "lora"})}
    current = SimpleNamespace(
        registry=REGISTRY, made=lambda key: pictures, manifest=lambda asset, key: manifests[asset]
    )
    fields = ("base", "method", "steps", "guidance_scale")
    assert [_experiment(current, KEY)[name] for name in fields] == ["sd15", "lora", 50, 2.0]
    current.made = lambda key: None
    assert [_experiment(current, KEY)[name] for name in fields] == ["small", "base", 25, 4.0]
