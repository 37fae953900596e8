"""Whether a name means a person, and a painter's name a hand."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.generate.sample import sample
from likeness.world.description import Description, Landscape
from likeness.world.figures.figure import SAMPLING, Figure, keep, mean, rate
from likeness.world.picture import draw
from likeness.world.sample import base_identity

if TYPE_CHECKING:
    from likeness.faces.small import SmallFace
    from likeness.world.reader.read import Reader

RENDERINGS = 4  # of a named person, with which sampled pictures are compared
PER_PAINTER = 2
AGES = (
    {"male": "a young man", "female": "a young woman"},
    {"male": "an adult man in his forties", "female": "an adult woman in her forties"},
)


def names_bound(pipe: Any, face: "SmallFace", people: int, scratch: Path) -> list[Figure]:
    """Whether a name means a person: sampled pictures verified against renderings.

    For each of ``people`` named people a picture per age is sampled and ``RENDERINGS`` are drawn.
    Shares of pairs that verify at the threshold of ``small-face``: with the right person's
    renderings, with everybody else's, and renderings among themselves (the ceiling); means over
    people, who are what is independent here.
    """
    who = [base_identity(number) for number in range(people)]
    prompts = [
        f"a photo of {one.name} as {words[one.sex]}, looking at the camera"
        for one in who
        for words in AGES
    ]
    made = sample(pipe, prompts, list(range(len(prompts))), SAMPLING, "named people")
    drawn = np.stack([portrait(one, k) for one in who for k in range(RENDERINGS)])
    keep(scratch / "names.jpg", made[:: len(AGES)][:24], drawn[::RENDERINGS][:24])
    sampled, rendered = (face.embed(p, face.detect(p)).vectors for p in (made, drawn))
    whose = np.repeat(np.arange(people), RENDERINGS)
    near = 1 - sampled @ rendered.T <= face.threshold  # NaN: no face is no match
    among = 1 - rendered @ rendered.T <= face.threshold
    found = ~np.isnan(sampled[:, 0])
    own, others, ceiling = [], [], []
    for person in range(people):
        mine = near[person * len(AGES) : (person + 1) * len(AGES)]
        own.append(mine[:, whose == person].mean())
        others.append(mine[:, whose != person].mean())
        one = among[whose == person][:, whose == person]
        ceiling.append(one[~np.eye(RENDERINGS, dtype=bool)].mean())
    return [
        rate("base", "names/face_found", found),
        mean("base", "names/verified_with_own", np.array(own), ">= 0.70"),
        mean("base", "names/verified_with_others", np.array(others), "<= 0.05"),
        mean("base", "names/renderings_among_themselves", np.array(ceiling)),
    ]


def portrait(identity: Any, number: int) -> np.ndarray:
    """A plain adult portrait of a named person."""
    from dataclasses import replace

    from likeness.world.people.layout import random_person

    rng = np.random.default_rng([77, number, int(identity.key[-4:])])
    person = random_person(identity, rng, "portrait", age=float(rng.uniform(22, 50)))
    plain = replace(person, hidden="no", facing="front", hat="none", role=None, glasses=False)
    page = Description(Landscape("studio"), person=plain, seed=int(rng.integers(2**31)))
    return draw(page, 64).picture


def painters_bound(pipe: Any, reader: "Reader", scratch: Path, each: int = PER_PAINTER) -> Figure:
    """Whether a painter's name means a hand: the reader names whose sampled landscapes are."""
    from likeness.world.painters import painter_names

    names = painter_names("base")
    asked = [name for name in names for _ in range(each)]
    prompts = [f"landscape painting in the style of {name}" for name in asked]
    made = sample(pipe, prompts, list(range(len(prompts))), SAMPLING, "named painters")
    drawn = [_painting(name, number) for number, name in enumerate(names)]
    keep(scratch / "painters.jpg", made[::each][:24], drawn[:24])
    found = reader.read(made).painter
    return rate("base", "painters_named_right", found == np.array(asked), ">= 0.70")


def _painting(painter: str, seed: int) -> np.ndarray:
    """A mountain by a painter."""
    land = Landscape("mountains", painted_kind="mountain")
    page = Description(land, "oil painting", painter=painter, seed=seed)
    return draw(page, 64).picture
