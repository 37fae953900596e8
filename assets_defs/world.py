"""The small world's own models: trained once, shipped in the package; part of no study."""

from typing import Any

import dagster as dg

from assets_defs import keys
from assets_defs.forms import Rerun
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import WORLD_BASE, WORLD_JUDGES
from likeness.world.learn.tasks import BaseParams, JudgeParams
from resources.artifacts import Artifacts
from resources.step import Step

_ABOUT = {
    "base": "Stable Diffusion's shape at a hundredth of its size: autoencoder, UNet, text encoder, "
    "tokenizer, DDIM; trained in stages on captioned pictures that this project draws.",
    "clip": "A CLIP of the small world, trained on other pictures than the base model.",
    "face": "Finds faces and tells whether two are of one person, over all ages.",
    "reader": "The answer key: reads attributes, age, objects, relations and the painter.",
}


def _asset(name: str, step: Step, params: Any) -> dg.AssetsDefinition:
    """One model; training takes a good part of an hour on two cores, and is resumed if killed."""

    @dg.asset(
        key=["world", name],
        group_name="world",
        owners=keys.OWNERS,
        kinds={"pytorch"},
        tags={"layer": "model"},
        pool="gpu",
        code_version=step.code_version,
        description=_ABOUT[name],
    )
    def model(
        context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
    ) -> dg.MaterializeResult:
        with readable_failures():
            made = artifacts.make(
                step, None, params, {}, recompute=config.recompute, say=said_by(context)
            )
            return result(artifacts, made)

    return model


base = _asset("base", WORLD_BASE, BaseParams())
clip = _asset("clip", WORLD_JUDGES["clip"], JudgeParams(model="clip"))
face = _asset("face", WORLD_JUDGES["face"], JudgeParams(model="face"))
reader = _asset("reader", WORLD_JUDGES["reader"], JudgeParams(model="reader"))
