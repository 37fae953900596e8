"""How the small base model is trained: which pictures, which stages, how many steps."""

from pydantic import BaseModel, ConfigDict, Field

from likeness.finetune.loop import Plan
from likeness.world.sample import Mixture

# People first, and before plain walls: what a person is shows there within minutes.
PORTRAITS = Mixture(
    people=1.0, things=0.0, related=0.0, plain=0.85, portraits=1.0, photos=0.95, named=0.5
)
PEOPLE = Mixture(people=1.0, things=0.0, related=0.0)
LANDS = Mixture(people=0.0, things=0.0)
THINGS = Mixture(people=0.35, things=0.65, related=1.0, named=0.5)
SCENES = Mixture(
    people=0.5, things=0.37, related=0.25, plain=0.6, portraits=0.75, photos=0.85, named=0.6
)
LIVES = Mixture(
    people=0.72, things=0.16, related=0.15, plain=0.7, portraits=0.95, photos=0.92, named=0.75
)


class VaeStage(BaseModel):
    """One training of the autoencoder, with a fresh optimiser."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: int = Field(ge=1)
    plan: Plan


class Stage(BaseModel):
    """One training with a fresh optimiser: new pictures, and some of the stages before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    mixture: Mixture
    count: int = Field(ge=1, description="new pictures")
    rehearse: float = Field(0.0, ge=0, description="earlier pictures for each new one")
    power: float = Field(
        2 / 3, gt=0, description="noise levels are 1000 u ** this: below 1, more often noisy ones"
    )
    full: float = Field(
        0.0, ge=0, le=1, description="captions that say all; others leave phrases out"
    )
    plan: Plan


def _vae_plan(steps: int, learning_rate: float, seed: int, ema: float) -> Plan:
    return Plan(
        steps=steps,
        learning_rate=learning_rate,
        ema=ema,
        weight_decay=1e-4,
        precision="bfloat16",
        seed=seed,
    )


def _plan(steps: int, learning_rate: float, seed: int) -> Plan:
    return Plan(
        steps=steps,
        learning_rate=learning_rate,
        ema=0.996,
        weight_decay=1e-3,
        precision="bfloat16",
        seed=seed,
        optimizer="muon",
    )


class BaseRecipe(BaseModel):
    """The whole training of the small base model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vae_pictures: int = Field(12_000, ge=1)
    vae_stages: tuple[VaeStage, ...] = (
        VaeStage(batch=32, plan=_vae_plan(1500, 1.5e-3, 1, 0.995)),
        VaeStage(batch=16, plan=_vae_plan(2400, 1e-3, 2, 0.997)),
    )
    words: Plan = Plan(
        steps=1000, learning_rate=1e-3, weight_decay=1e-3, precision="bfloat16", seed=5
    )
    words_from: tuple[Mixture, ...] = Field(
        (PORTRAITS, PEOPLE, LANDS, THINGS),
        min_length=1,
        description="captions of the lesson in words, in turn; no later stage changes them",
    )
    stages: tuple[Stage, ...] = (
        Stage(name="portraits", mixture=PORTRAITS, count=16_000, plan=_plan(1300, 1e-3, 10)),
        Stage(
            name="people", mixture=PEOPLE, count=16_000, rehearse=0.3, plan=_plan(1200, 1e-3, 11)
        ),
        Stage(
            name="landscapes", mixture=LANDS, count=8_000, rehearse=0.7, plan=_plan(400, 8e-4, 12)
        ),
        Stage(
            name="things", mixture=THINGS, count=14_000, rehearse=1.0, plan=_plan(1200, 1e-3, 13)
        ),
        # Faces are decided at low levels of noise, which the stages before saw little of.
        Stage(
            name="faces",
            mixture=PORTRAITS.model_copy(update={"named": 0.75}),
            count=24_000,
            rehearse=0.3,
            power=1.2,
            plan=_plan(2500, 1e-3, 14),
        ),
        # Whatever a picture holds is said in seven of ten captions: a word teaches only where it
        # stands. What can stand in a place is shown before a wall first.
        Stage(
            name="scenes",
            mixture=SCENES,
            count=26_000,
            full=0.7,
            plan=_plan(3000, 1e-3, 15),
        ),
        # Faces once more, now that captions say all: what the two stages before have each taught
        # alone. A quarter of places and things keeps what they know.
        Stage(
            name="lives",
            mixture=LIVES,
            count=30_000,
            power=1.2,
            full=0.7,
            plan=_plan(3600, 1e-3, 16),
        ),
    )
