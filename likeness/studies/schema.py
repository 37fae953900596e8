"""The study file: people, painters, networks, experiments and published figures, as data."""

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationError, model_validator

from likeness.classify.recipe import Recipe
from likeness.generate.asked import Asked
from likeness.generate.sample import Denoising
from likeness.images.decode import Limits
from likeness.images.given import Given
from likeness.images.intake import Duplicates
from likeness.images.prepare import Preparation
from likeness.images.splits import Made
from likeness.studies.editing import Editing
from likeness.studies.experiment import AnyExperiment
from likeness.studies.parts import Key, LongKey, Part, Prompt, Seed, SetName
from likeness.studies.subject import Subject

AUTHENTIC = 0  # the class of the painter's own pictures
# The parts of a split go by these names in every table.
RESERVED = {"train", "valid", "test", "folds", "classes", "unseen"}


class Paint(Part):
    """Pictures this project paints itself (honest stand-ins, see likeness/world)."""

    hand: Literal["master", "replica", "smooth", "loose", "others"] = Field(
        description="whose hand paints: likeness.world.landscapes.paint_class"
    )
    count: int = Field(ge=1, le=20_000, description="how many pictures")
    first: int = Field(0, ge=0, description="index of the first; disjoint ranges share no scene")


def _a_schedule(steps: int) -> int:
    try:
        return Denoising(num_inference_steps=steps).num_inference_steps
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error


Scale = Annotated[float, Field(ge=0, le=50)]


class Sampled(Part):
    """Pictures that a base model paints, asked in words that it knows."""

    model: str = Field(description="name of a base model: likeness models list")
    prompts: list[Prompt] = Field(min_length=1, max_length=100, description="taken in turn")
    count: int = Field(ge=1, le=20_000, description="how many pictures")
    guidance_scale: Scale | tuple[Scale, Scale] = Field(
        description="of all of them; or [low, high], from which each picture draws its own. 0: "
        "unasked, 1: asked and unguided, between them what lies between"
    )
    num_inference_steps: Annotated[int, AfterValidator(_a_schedule)] = Field(
        25, description="steps of the scheduler"
    )
    seed: Seed = Field(0, description="of the first picture; each takes the next")
    batch: int = Field(32, ge=1, le=1024, description="pictures sampled together")

    @property
    def asked(self) -> list[Asked]:
        """Each prompt with the seeds and the guidance of its pictures."""
        numbers = range(self.count)
        scales = [self._scale(number) for number in numbers]
        return [
            Asked(
                prompt=prompt,
                seeds=[self.seed + number for number in numbers[first :: len(self.prompts)]],
                guidance_scales=scales[first :: len(self.prompts)],
                role="class",
            )
            for first, prompt in enumerate(self.prompts[: self.count])
        ]

    @property
    def denoising(self) -> Denoising:
        """Its schedule; guidance is each picture's own."""
        return Denoising(num_inference_steps=self.num_inference_steps)

    def _scale(self, number: int) -> float:
        """A picture's guidance depends on its seed alone, and not on how many there are."""
        if not isinstance(self.guidance_scale, tuple):
            return self.guidance_scale
        return float(np.random.default_rng(self.seed + number).uniform(*self.guidance_scale))

    @model_validator(mode="after")
    def _can_be_sampled(self) -> "Sampled":
        if len(set(self.prompts)) < len(self.prompts):
            raise ValueError("one of the prompts is there twice: keep one of them")
        scale = self.guidance_scale
        if isinstance(scale, tuple) and scale[0] > scale[1]:
            raise ValueError(f"guidance_scale {list(scale)} is upside down: low first, then high")
        if self.seed + self.count > 2**32:
            raise ValueError("the last seed is beyond 2^32: begin with a smaller one")
        return self


class Rebuilt(Part):
    """Pictures of another test set, encoded and decoded by a model: the best it could paint."""

    of: SetName = Field(description="name of a test set of the same painter")
    model: str = Field(description="name of the base model whose autoencoder they go through")


SOURCES = ("folders", "paint", "sampled", "rebuilt", "experiment")


class Pictures(Part):
    """Where a class or a test set comes from: folders, our own brush, a model, an experiment."""

    name: str = Field(description="what a reader calls it")
    folders: list[str] = Field([], description="folders below the raw folder (LIKENESS_RAW)")
    paint: Paint | None = Field(None, description="painted by this project instead of read")
    sampled: Sampled | None = Field(None, description="painted by a base model")
    rebuilt: Rebuilt | None = Field(None, description="another test set, seen by a model")
    experiment: LongKey | None = Field(
        None, description="key, with its study, of an experiment whose pictures these are"
    )
    role: SetName | None = Field(
        None, description="which pictures of the experiment; none: all of them"
    )
    truth: int | None = Field(None, description="the right class of a test set, where it is known")

    @model_validator(mode="after")
    def _one_source(self) -> "Pictures":
        if len(found := [name for name in SOURCES if getattr(self, name)]) != 1:
            raise ValueError(
                f"'{self.name}' needs one source of {', '.join(SOURCES)}, and has "
                f"{' and '.join(found) or 'none'}"
            )
        if self.role is not None and self.experiment is None:
            raise ValueError(f"'{self.name}' has a role and no experiment: say whose it is")
        return self


class PainterMeasures(Part):
    """What compares pictures that experiments make with the painter's own, beside SSIM."""

    clip: str | None = Field(
        None,
        description="encoder of reconstruction, editability, FID and KID, such as small-clip",
    )
    hand: str | None = Field(
        None, description="name by which the small world's reader knows the painter"
    )


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
    measures: PainterMeasures = PainterMeasures()

    @property
    def given(self) -> Given | None:
        """The split that came with the data, if one did."""
        return self.split if isinstance(self.split, Given) else None

    @property
    def raw_folders(self) -> list[str]:
        """The folders below the raw folder that its pictures are read from."""
        return [folder for pictures in self.sets.values() for folder in pictures.folders]

    @property
    def painted(self) -> bool:
        """Whether this project paints the pictures (then there is no raw folder)."""
        return any(p.paint for p in self.sets.values())

    @property
    def sets(self) -> dict[str, Pictures]:
        """All classes, by their label as text, and all test sets, by their name."""
        return {**{str(label): p for label, p in self.classes.items()}, **self.tests}

    @property
    def sampled(self) -> dict[str, Sampled]:
        """The sets that a base model paints."""
        return {key: p.sampled for key, p in self.sets.items() if p.sampled}

    @property
    def rebuilt(self) -> dict[str, Rebuilt]:
        """The sets that went through a model's autoencoder."""
        return {key: p.rebuilt for key, p in self.sets.items() if p.rebuilt}

    @property
    def own_sets(self) -> list[str]:
        """Test sets by the painter himself, as they are and rebuilt: no method can do better."""
        found = {k: p for k, p in self.tests.items() if p.truth == AUTHENTIC and not p.experiment}
        return sorted(found, key=lambda name: found[name].rebuilt is not None)

    @property
    def models(self) -> list[str]:
        """Names of the base models that have a hand in its pictures."""
        models = [one.model for one in self.sampled.values()]
        return list(dict.fromkeys(models + [one.model for one in self.rebuilt.values()]))

    @property
    def experiments(self) -> list[str]:
        """Keys of the experiments whose pictures are test sets."""
        return list(dict.fromkeys(p.experiment for p in self.tests.values() if p.experiment))

    @model_validator(mode="after")
    def _whole(self) -> "Painter":
        sources = {bool(p.paint) for p in self.sets.values() if p.paint or p.folders}
        if not sources:
            raise ValueError(
                f"'{self.title}' has neither painted pictures nor folders: a painter paints"
            )
        if len(sources) > 1:
            raise ValueError(f"'{self.title}' mixes painted pictures with folders: use one of them")
        for label, pictures in self.classes.items():
            if pictures.rebuilt or pictures.experiment:
                raise ValueError(
                    f"class {label} of '{self.title}' is rebuilt or made by an experiment: only "
                    "test sets can be"
                )
        for name, one in self.rebuilt.items():
            of = self.tests.get(one.of)
            if of is None or not (of.paint or of.folders):
                raise ValueError(
                    f"'{name}' rebuilds '{one.of}', which is no painted or read test set of "
                    f"'{self.title}'"
                )
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


class PublishedSet(Part):
    """Mean SSIM that someone printed for the pictures of a source and its edits."""

    experiment: LongKey = Field(description="key of the experiment of this study that it is beside")
    ssim: float = Field(ge=-1, le=1)


class PublishedEditor(Part):
    """The mean of a measure that someone printed for an editor."""

    method: str = Field(description="as the editor is called in studies")
    metric: Literal["clip_score", "directional", "clip_i", "lpips", "structure"]
    value: float


class Published(Part):
    """Figures of the original, printed beside ours."""

    source: str = ""
    rates: list[PublishedRate] = Field([], description="accuracies and recalls")
    verdicts: list[PublishedVerdicts] = Field([], description="counts of verdicts")
    pairs: list[PublishedPairs] = Field([], description="means over pairs of pictures")
    sets: list[PublishedSet] = Field([], description="means over sources with their edits")
    editors: list[PublishedEditor] = Field([], description="means of editors on a bench")


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
    experiments: dict[LongKey, AnyExperiment] = Field(
        {}, description="models and their pictures, by key"
    )
    published: Published = Published()
    includes: Includes = Includes()

    @property
    def has_people(self) -> bool:
        """Whether an experiment of it is about a person."""
        return any(experiment.subject for experiment in self.experiments.values())

    @property
    def edits(self) -> "dict[str, Editing]":
        """Its editing experiments."""
        return {key: one for key, one in self.experiments.items() if isinstance(one, Editing)}

    @model_validator(mode="after")
    def _published_of_experiments(self) -> "Study":
        for one in self.published.sets:
            if one.experiment not in self.experiments:
                raise ValueError(
                    f"a published set stands beside experiment '{one.experiment}', which is not "
                    "there"
                )
        return self
