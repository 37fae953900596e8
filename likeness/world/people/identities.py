"""Who lives in the small world: people drawn by chance, the same ones every time."""

import zlib

import numpy as np

from likeness.world.description import TRAITS, Identity, Person, Sex

APS_TRAITS = {
    "High_Cheekbones": "cheekbones",
    "Pointy_Nose": "nose_point",
    "Narrow_Eyes": "eye_narrow",
    "Double_Chin": "chin",
    "Big_Lips": "lips",
    "Big_Nose": "nose_size",
}
YOUNG_UNTIL = 40.0  # years


def draw_identity(key: str, name: str | None, rng: np.random.Generator) -> Identity:
    """A new person: sex by a fair coin, every trait spread evenly over -1..1."""
    sex: Sex = "female" if rng.random() < 0.5 else "male"
    traits = dict(zip(TRAITS, rng.uniform(-1, 1, len(TRAITS)).tolist(), strict=True))
    traits["hair_red"] = float(rng.uniform(-1, 0.4))
    # Fair red hair is a rare corner of the square of traits: one person in six is put there.
    if rng.random() < 1 / 6:
        traits["hair_red"] = float(rng.uniform(0.55, 1))
        traits["hair_dark"] = float(rng.uniform(-1, 0.4))
    return Identity(key, sex, tuple(traits[trait] for trait in TRAITS), name)


def identity(group: str, index: int) -> Identity:
    """Person ``index`` of a group (base, reader, face, unseen_by_all, ...): always the same one."""
    key = f"{group}-{index:04d}"
    return draw_identity(key, None, np.random.default_rng(zlib.crc32(key.encode())))


def aps_labels(person: Person) -> dict[str, int]:
    """The eight attributes of the attribute preservation score, +1 or -1 each."""
    who = person.identity
    truths = {"Young": person.age < YOUNG_UNTIL, "Male": who.sex == "male"}
    truths |= {label: who.trait(trait) > 0 for label, trait in APS_TRAITS.items()}
    return {label: 1 if true else -1 for label, true in truths.items()}
