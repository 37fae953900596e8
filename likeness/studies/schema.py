"""The study file: people, painters, networks, experiments and published figures, as data."""

from typing import Literal

from pydantic import Field, model_validator

from likeness.classify.recipe import Recipe
from likeness.images.decode import Limits
from likeness.images.given import Given
from likeness.images.intake import Duplicates
from likeness.images.prepare import Preparation
from likeness.images.splits import Made
from likeness.studies.experiment import Experiment
from likeness.studies.parts import Key, LongKey, Part, SetName
from likeness.studies.subject import Subject

# The parts of a split go by these names in every table.
RESERVED = {"train", "valid", "test", "folds", "classes", "unseen"}


class Paint(Part):
    """Pictures this project paints itself (honest stand-ins, see likeness/world)."""

    hand: Literal["master", "replica", "smooth", "loose", "others"] = Field(
        description="whose hand paints: likeness.world.landscapes.paint_class"
    )
    count: int = Field(ge=1, le=20_000, description="how many pictures")
    first: int = Field(0, ge=0, description="index of the first; disjoint ranges share no scene")


class Pictures(Part):
    """Where a class or a test set comes from: the user's folders, or our own brush."""

    name: str = Field(description="what a reader calls it")
    folders: list[str] = Field([], description="folders below the raw folder (LIKENESS_RAW)")
    paint: Paint | None = Field(None, description="painted by this project instead of read")
    truth: int | None = Field(None, description="the right class of a test set, where it is known")
    prompt: str | None = Field(None, description="the prompt that made the pictures, if known")

    @model_validator(mode="after")
    def _one_source(self) -> "Pictures":
        if bool(self.folders) == (self.paint is not None):
            raise ValueError(f"'{self.name}' needs either folders or paint, and not both")
        return self


class Painter(Part):
    """One painter's pictures: classes by label, how they are prepared and split, test sets."""

    title: str = Field(description="what a reader calls this set of pictures")
    classes: dict[int, Pictures] = Field(min_length=2, description="label -> pictures")
    tests: dict[SetName, Pictures] = Field({}, description="unseen sets that only get verdicts")
    paint_side: int = Field(128, ge=64, le=1024, description="side in px of pictures we paint")
    prepare: Preparation = Preparation()
    limits: Limits = Limits()
    duplicates: Duplicates = Duplicates()
    split: Given | Made = Field(Made(), description="kept as given, or made here by group")
    folds: int | None = Field(
        None, ge=2, le=20, description="folds over all train and validation pictures; none = none"
    )
    group_column: str | None = Field(
        None, description="column of metadata.csv naming pictures that belong together"
    )
    seed: int = Field(0, ge=0, description="seed of splits and folds")

    @property
    def given(self) -> Given | None:
        """The split that came with the data, if one did."""
        return self.split if isinstance(self.split, Given) else None

    @property
    def painted(self) -> bool:
        """Whether this project paints the pictures (then there is no raw folder)."""
        return any(p.paint for p in [*self.classes.values(), *self.tests.values()])

    @model_validator(mode="after")
    def _whole(self) -> "Painter":
        sources = {bool(p.paint) for p in [*self.classes.values(), *self.tests.values()]}
        if len(sources) > 1:
            raise ValueError(f"'{self.title}' mixes painted pictures with folders: use one of them")
        for name, pictures in self.tests.items():
            if name in RESERVED:
                raise ValueError(f"a set of unseen pictures cannot be called '{name}': rename it")
            if pictures.truth is not None and pictures.truth not in self.classes:
                raise ValueError(f"the truth of '{name}' is {pictures.truth}, which is no class")
        return self


class Network(Part):
    """One trained judge: which pictures, which rounds, which recipe."""

    painter: Key = Field(description="key of the painter whose pictures it learns")
    rounds: Literal["split", "folds"] = Field(
        "split", description="one training on the split, or one per fold"
    )
    recipe: Recipe = Recipe()


class PublishedRate(Part):
    """An accuracy or recall someone printed."""

    architecture: str
    measure: str = Field(
        pattern=r"^(recall_\d+_)?(valid|test|folds)$",
        description="accuracy on a part, or recall of one class there (recall_1_test)",
    )
    value: float = Field(ge=0, le=1)
    n: int = Field(ge=1)


class PublishedVerdicts(Part):
    """A row of counts per class someone printed for a test set."""

    architecture: str
    image_set: str
    counts: list[int]


class PublishedPairs(Part):
    """Mean SSIM and share of verified pairs that someone printed for two sets of pictures."""

    set_a: SetName
    set_b: SetName
    ssim: float = Field(ge=-1, le=1)
    verification: float = Field(ge=0, le=1)


class Published(Part):
    """Figures of the original, printed beside ours."""

    source: str = ""
    rates: list[PublishedRate] = Field([], description="accuracies and recalls")
    verdicts: list[PublishedVerdicts] = Field([], description="counts of verdicts")
    pairs: list[PublishedPairs] = Field([], description="means over pairs of pictures")


class Includes(Part):
    """Partition keys of other studies that this study also runs (their cache is shared)."""

    subjects: list[Key] = Field([], description="keys of subjects")
    painters: list[Key] = Field([], description="keys of painters")
    networks: list[str] = Field([], description="keys of networks")
    experiments: list[str] = Field([], description="keys of experiments")


class Study(Part):
    """One file of ``likeness/studies`` or of LIKENESS_STUDIES."""

    name: Key
    title: str
    about: str = ""
    subjects: dict[Key, Subject] = Field({}, description="people, by key")
    painters: dict[Key, Painter] = Field({}, description="sets of pictures, by key")
    networks: dict[Key, Network] = Field({}, description="judges, by key")
    experiments: dict[LongKey, Experiment] = Field(
        {}, description="models and their pictures, by key"
    )
    published: Published = Published()
    includes: Includes = Includes()

    @property
    def has_people(self) -> bool:
        """Whether an experiment of it is about a person."""
        return any(experiment.subject for experiment in self.experiments.values())
