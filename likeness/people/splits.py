"""Which photos of a person feed which model: by age, verified or all, some held back to judge."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from likeness.errors import BadInput
from likeness.images import image_set

HELD_BACK = "held back for judging"
MEMBERS = {
    "split": "string",
    "image_id": "string",
    "file": "string",
    "age": "Float64",
    "age_class": "string",
}
LEFT_OUT = {"split": "string", "path": "string", "image_id": "string", "reason": "string"}


class AgeRange(BaseModel):
    """Ages from one up to, and without, the other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    from_age: float = Field(0, ge=0, le=120, description="years; the first age that belongs")
    to_age: float | None = Field(
        None, gt=0, le=120, description="years; the first age that does not; none = no end"
    )

    def holds(self, ages: pd.Series) -> pd.Series:
        """Bool per age in years; an unknown age belongs nowhere."""
        inside = (ages >= self.from_age) & (ages < (self.to_age or np.inf))
        return inside.fillna(False).astype(bool)

    @model_validator(mode="after")
    def _forwards(self) -> "AgeRange":
        if self.to_age is not None and self.to_age <= self.from_age:
            raise ValueError(f"'{self.name}' ends at {self.to_age:g}, before it begins")
        return self


class AgeClass(AgeRange):
    """A time of life, to tell results apart by."""


class PeopleSplit(AgeRange):
    """The photos that one model is trained on."""

    verified: bool = Field(description="only photos that verify as the person's, or all usable")


def child_and_adult(limit: float) -> tuple[PeopleSplit, ...]:
    """The six splits of the study: child and adult, parted at ``limit`` years, and all of them."""
    ranges: tuple[tuple[str, float, float | None], ...] = (
        ("child", 0, limit),
        ("adult", limit, None),
        ("all", 0, None),
    )
    return tuple(
        PeopleSplit(name=f"{name}_0{number}", from_age=start, to_age=end, verified=number == 1)
        for name, start, end in ranges
        for number in (1, 2)
    )


class SplitRecipe(BaseModel):
    """How a person's photos become the training sets of a study."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    age_classes: tuple[AgeClass, ...] = Field(
        (
            AgeClass(name="child", to_age=15),
            AgeClass(name="young", from_age=15, to_age=22),
            AgeClass(name="adult", from_age=22, to_age=30),
            AgeClass(name="today", from_age=30),
        ),
        min_length=1,
        description="times of life, in order; they may not overlap",
    )
    splits: tuple[PeopleSplit, ...] = Field(
        child_and_adult(15), min_length=1, description="training sets; they may overlap"
    )
    minimum: int = Field(
        4, ge=1, le=1000, description="photos that every split should have; a check says if not"
    )
    held_back: int = Field(
        0,
        ge=0,
        le=1000,
        description="verified photos, spread over the ages, that are in no split, to judge by; "
        "0 as in the published protocol",
    )
    seed: int = Field(0, ge=0, description="seed of the choice of photos held back")

    @model_validator(mode="after")
    def _told_apart(self) -> "SplitRecipe":
        for ranges in (self.age_classes, self.splits):
            names = [one.name for one in ranges]
            if len(set(names)) < len(names):
                raise ValueError(f"of {', '.join(names)} one is there twice: rename it")
        for one, two in zip(self.age_classes, self.age_classes[1:], strict=False):
            if one.to_age is None or one.to_age > two.from_age:
                raise ValueError(f"age class '{two.name}' begins before '{one.name}' ends")
        return self


class Splits(NamedTuple):
    """The splits' photos, why others are in none, and what is known of every photo."""

    members: pd.DataFrame  # split, image_id, file, age, age_class
    left_out: pd.DataFrame  # split, path, image_id, reason
    photos: pd.DataFrame  # the photos' rows with age_class, verified, held_back, left_out_because


def split_photos(photos: pd.DataFrame, verified: pd.DataFrame, recipe: SplitRecipe) -> Splits:
    """Deal a person's photos into the splits of a recipe.

    ``photos`` is an image set's table with ``age`` (years), ``age_reason`` and ``group`` (of near
    duplicates); ``verified`` has ``image_id, verified, reason``. Usable is a photo that the intake
    accepted, whose age is known and of which there is no better near duplicate: two prints of one
    picture would count twice, and hide that a model copies. Photos of another age are no business
    of a split; every other one that it lacks is in ``left_out`` with the reason. Raises
    ``BadInput`` when no photo is usable or fewer photos can be held back than are asked for.
    """
    table = _known(photos, verified)
    table["age_class"] = _age_classes(table["age"], recipe.age_classes)
    table["held_back"] = _hold_back(table, recipe)
    parts, rest = [], []
    for split in recipe.splits:
        business = split.holds(table["age"]) | table["age"].isna()
        reason = table["unusable"].fillna(table["held_back"].map({True: HELD_BACK}))
        if split.verified:
            reason = reason.fillna(table["unverified"])
        parts.append(table[business & reason.isna()].assign(split=split.name))
        rest.append(table.assign(split=split.name, reason=reason)[business & reason.notna()])
    members = pd.concat(parts).sort_values(["split", "age", "image_id"])
    everything = photos.assign(**{name: table[name] for name in ("age_class", "held_back")})
    everything["verified"] = table["unverified"].isna() & table["unusable"].isna()
    everything["left_out_because"] = (
        table["unusable"]
        .fillna(table["held_back"].map({True: HELD_BACK}))
        .fillna(table["unverified"])
        .astype("string")
    )
    return Splits(
        members[list(MEMBERS)].astype(MEMBERS).reset_index(drop=True),
        pd.concat(rest)[list(LEFT_OUT)].astype(LEFT_OUT).reset_index(drop=True),
        everything,
    )


def sizes(members: pd.DataFrame, recipe: SplitRecipe) -> dict[str, int]:
    """Photos per split, empty ones included, in the order of the recipe."""
    counts = members["split"].value_counts()
    return {split.name: int(counts.get(split.name, 0)) for split in recipe.splits}


def _known(photos: pd.DataFrame, verified: pd.DataFrame) -> pd.DataFrame:
    """Path, ids, age and group, with why a photo is ``unusable`` or ``unverified`` (or NA)."""
    table = photos[["path", "image_id", "file", "width", "age", "group"]].copy()
    rejected = photos["status"] != image_set.ACCEPTED
    ageless = "no age: " + photos["age_reason"].astype("string")
    unusable = photos["reason"].where(rejected, ageless.where(photos["age"].isna()))
    table["unusable"] = unusable.astype("string")
    if table["unusable"].notna().all():
        reason = table["unusable"].mode().iloc[0] if len(table) else "there is none"
        raise BadInput(
            f"none of the {len(table)} photos can be used, most often because: {reason}; give "
            "readable photos with an age each"
        )
    said = verified.set_index("image_id")
    is_verified = table["image_id"].map(said["verified"]).fillna(False).astype(bool)
    reason = table["image_id"].map(said["reason"]).fillna("was not verified")
    table["unverified"] = reason.mask(is_verified).astype("string")
    table["unusable"] = table["unusable"].fillna(_worse_prints(table))
    return table


def _worse_prints(table: pd.DataFrame) -> pd.Series:
    """Why a photo gives way to a near duplicate, or NA: to a verified one, then to a larger one."""
    usable = table[table["unusable"].isna()].assign(stranger=table["unverified"].notna())
    order = ["stranger", "width", "path"]
    best_first = usable.sort_values(order, ascending=[True, False, True])
    best = best_first.groupby("group")["path"].transform("first")
    worse = best[best != best_first["path"]]
    return ("near duplicate of " + worse).reindex(table.index).astype("string")


def _age_classes(ages: pd.Series, classes: tuple[AgeClass, ...]) -> pd.Series:
    """Name of the class of each age; NA outside all of them."""
    names = pd.Series(pd.NA, index=ages.index, dtype="string")
    for one in classes:
        names[one.holds(ages)] = one.name
    return names


def _hold_back(table: pd.DataFrame, recipe: SplitRecipe) -> pd.Series:
    """Bool per photo: one chosen by chance from each of as many stretches of the sorted ages.

    A photo with a near duplicate is never chosen: the other one, in a split, would give it away.
    """
    alone = table.groupby("group")["path"].transform("size").eq(1)
    fit = table[table["unusable"].isna() & table["unverified"].isna() & alone]
    if len(fit) < recipe.held_back:
        raise BadInput(
            f"{recipe.held_back} photos are to be held back, but only {len(fit)} verified ones "
            "have an age and no near duplicate: hold back fewer"
        )
    rng = np.random.default_rng(recipe.seed)
    by_age = fit.sort_values(["age", "image_id"]).index.to_numpy()
    stretches = np.array_split(by_age, recipe.held_back) if recipe.held_back else []
    chosen = [stretch[int(rng.integers(len(stretch)))] for stretch in stretches]
    return pd.Series(table.index.isin(chosen), index=table.index)
