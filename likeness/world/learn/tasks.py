"""The heavy calls of the small world: train each of its four models."""

import json
import os
import platform
import time
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from likeness.world.learn.recipe import BaseRecipe

# Stages already trained by the same recipe are not trained again.
SHIPPED = Path(__file__).parent.parent / "weights" / "base"
ModelName = Literal["clip", "face", "reader"]


class BaseParams(BaseModel):
    """How the base model is trained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: BaseRecipe = BaseRecipe()
    anew: bool = Field(False, description="train all stages, those of the shipped model too")


class JudgeParams(BaseModel):
    """Which judge is trained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: ModelName


def base(
    params: BaseParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``world/base``: a ``StableDiffusionPipeline`` folder with its curves."""
    from likeness.models.checksums import write_sums
    from likeness.world.learn.stages import make_base

    _settle()
    curves = make_base(params.recipe, output, scratch, None if params.anew else SHIPPED)
    (output / "curve.json").write_text(json.dumps(curves) + "\n")
    _note(output, params.model_dump(mode="json"), curves)
    write_sums(output)
    return {f"loss/{name}": rows[-1]["loss"] for name, rows in curves.items()}


def judge(
    params: JudgeParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``world/clip``, ``world/face`` or ``world/reader``: the model's folder, measured."""
    from likeness.models.checksums import write_sums
    from likeness.world.grammar import vocabulary
    from likeness.world.learn import clip, face, judges, reader
    from likeness.world.tokenizer import write_tokenizer

    _settle()
    judges.training_book(params.model, scratch)
    judges.test_book(params.model, scratch)
    books = scratch / "books" / params.model, scratch / "books" / f"{params.model}-test"
    if params.model == "clip":
        write_tokenizer(vocabulary(), scratch / "tokenizer")
        measured = clip.make(*books, output, scratch, scratch / "tokenizer")
    else:
        measured = {"face": face, "reader": reader}[params.model].make(*books, output, scratch)
    plans = {"clip": clip.PLANS, "face": face.PLANS, "reader": reader.PLANS}[params.model]
    recipe = {
        "pictures": judges.COUNTS[params.model],
        "mixture": judges.MIXTURES[params.model].model_dump(mode="json"),
        "plans": {name: plan.model_dump(mode="json") for name, (plan, _) in plans.items()},
        "batches": {name: batch for name, (_, batch) in plans.items()},
    }
    _note(
        output,
        params.model_dump(mode="json") | recipe,
        json.loads((output / "curve.json").read_text()),
    )
    write_sums(output)
    return measured


def _settle() -> None:
    """Two threads are what the figures were measured with; waiting ones leave the cores free."""
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))


def _note(output: Path, params: dict[str, Any], curves: dict[str, list[dict[str, float]]]) -> None:
    """``training.json``: what was done, how long it took, and on what."""
    import torch

    seconds = {name: rows[-1]["seconds"] for name, rows in curves.items() if rows}
    steps = {name: rows[-1]["step"] for name, rows in curves.items() if rows}
    note = {
        "params": params,
        "steps": steps,
        "seconds": seconds,
        "hardware": f"{_processor()}, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    (output / "training.json").write_text(json.dumps(note, indent=1) + "\n")


def _processor() -> str:
    """The processor's name as Linux knows it, else what Python says."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
