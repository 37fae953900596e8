"""The small world's own models: trained once, shipped in the package; part of no study."""

from collections.abc import Callable

import dagster as dg
from pydantic import BaseModel

from assets_defs.about import about
from assets_defs.checks import world as checks
from assets_defs.forms import Rerun
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import WORLD_BASE, WORLD_CLIP, WORLD_FACE, WORLD_READER
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


def _asset(step: Step, params_of: Callable[[bool], BaseModel]) -> dg.AssetsDefinition:
    """One model, by the parameters of a training that is, or is not, to be done anew."""
    name = step.asset.split("/")[1]

    @dg.asset(
        **about(step.asset, "model", pool="gpu"),
        kinds={"pytorch"},
        code_version=step.code_version,
        check_specs=checks.specs(step.asset),
        description=_ABOUT[name],
    )
    def model(
        context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
    ) -> dg.MaterializeResult:
        with readable_failures():
            say = said_by(context)
            asked = params_of(config.recompute)
            made = artifacts.make(step, None, asked, {}, recompute=config.recompute, say=say)
            return result(artifacts, made, checks=checks.check_model(made.manifest))

    return model


# Of the base model, what ships by the same recipe is taken over, unless all is to be done anew.
base = _asset(WORLD_BASE, lambda anew: BaseParams(anew=anew))
clip = _asset(WORLD_CLIP, lambda _: JudgeParams(model="clip"))
face = _asset(WORLD_FACE, lambda _: JudgeParams(model="face"))
reader = _asset(WORLD_READER, lambda _: JudgeParams(model="reader"))
