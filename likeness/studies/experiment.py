"""An experiment: a base model, what a method makes of it, and the pictures it is asked for."""

import re
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from likeness.finetune.recipe import DreamBoothRecipe
from likeness.finetune.ti_recipe import TextualInversionRecipe, composed
from likeness.generate.asked import Asked
from likeness.generate.sample import Sampling
from likeness.metrics.tables import HELD, PAINTER, TRAIN
from likeness.studies.editing import BenchEdits, DrawnEdits
from likeness.studies.parts import Key, Part, Prompt, Seed, SetName

MODEL, AGE = "{model}", "{age}"  # other words in braces are a grid's own
NO_PICTURES = "clip judges the pictures of checkpoints: say judged, or no clip"
# The role of pictures whose prompts are a plain list.
ROLE = "made"


class Base(Part):
    """The base model as it is: no training, the baseline of all methods."""

    name: Literal["base"] = "base"


class DreamBooth(DreamBoothRecipe):
    """DreamBooth on one of the subject's splits."""

    split: str = Field(description="name of one of the subject's splits")
    clip: str | None = Field(
        None,
        description="encoder that judges how checkpoints obey their prompts, such as small-clip or "
        "clip-vit-l-14; none: identity alone",
    )

    @property
    def recipe(self) -> DreamBoothRecipe:
        """How the photos are learned, without where they come from and who judges."""
        return DreamBoothRecipe.model_validate(self.model_dump(exclude={"split", "clip"}))

    @model_validator(mode="after")
    def _judged_by_what_it_learned(self) -> "DreamBooth":
        if self.clip is not None and self.judged is None:
            raise ValueError(NO_PICTURES)
        for prompt in self.judged.prompts if self.judged else ():
            if lost := self.rare_words_missing_in(prompt):
                raise ValueError(
                    f"the judged prompt '{prompt}' has no {lost[0]}: say the rare token there, as "
                    "in the instance prompt"
                )
        return self


class OfClass(Part):
    """So many pictures of one of a painter's classes or test sets, the first by their path."""

    label: int | SetName = Field(description="of the class, or name of the test set")
    count: int = Field(ge=1, le=10_000, description="how many pictures")


ImageId = Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")]


class LearnedWord(TextualInversionRecipe):
    """Textual Inversion: a new word for what some of the painter's pictures show."""

    pictures: OfClass | Annotated[list[ImageId], Field(min_length=1)] = Field(
        description="what it learns from: a class or set and a count, or image_id of each picture"
    )
    clip: str | None = Field(
        None, description="encoder that judges checkpoints, such as small-clip; none: no judge"
    )

    @property
    def recipe(self) -> TextualInversionRecipe:
        """How the word is learned, without from what."""
        return TextualInversionRecipe.model_validate(self.model_dump(exclude={"pictures", "clip"}))

    @model_validator(mode="after")
    def _is_no_word(self) -> "LearnedWord":
        if self.placeholder_token.isalnum():
            raise ValueError(
                f"placeholder_token '{self.placeholder_token}' may be a word of the model, or part "
                f"of one: put it in angle brackets, <{self.placeholder_token}>"
            )
        if self.clip is not None and self.judged is None:
            raise ValueError(NO_PICTURES)
        return self


Method = Annotated[Base | DreamBooth | LearnedWord, Field(discriminator="name")]


class Grid(Part):
    """One sentence at several ages."""

    template: Prompt = Field(description="a prompt with {age}, and {model} where the subject is")
    ages: dict[Prompt, float] = Field(
        min_length=1, max_length=100, description="words for {age} -> the years they ask for"
    )
    words: dict[SetName, str] = Field(
        {}, description="what other words in braces stand for, such as {noun} and {his}"
    )

    @model_validator(mode="after")
    def _nothing_is_left_open(self) -> "Grid":
        if AGE not in self.template:
            raise ValueError(f"the template '{self.template}' has no {AGE}: say where ages go")
        for line, _ in self.lines:
            if left := re.search(r"{\w*}", line.replace(MODEL, "")):
                raise ValueError(f"nothing says what {left[0]} in '{line}' stands for: give words")
        return self

    @property
    def lines(self) -> list[tuple[str, float | None]]:
        """Prompts with the years they ask for; {model} still stands in them."""
        return [(self._filled(words), years) for words, years in self.ages.items()]

    def _filled(self, age: str) -> str:
        line = self.template.replace(AGE, age)
        for name, word in self.words.items():
            line = line.replace(f"{{{name}}}", word)
        return line


Prompts = Annotated[list[Prompt], Field(min_length=1, max_length=500)]


Count = Annotated[int, Field(ge=1, le=1000)]


class Fresh(Part):
    """Seeds of which no two pictures of the experiment share one."""

    seed: Seed = Field(0, description="the first; each picture takes the next")
    images_per_prompt: Count
    by_role: dict[SetName, Count] = Field(
        {}, description="images_per_prompt of the roles of which another number is wanted"
    )

    def each(self, roles: list[str]) -> list[list[int]]:
        """Of prompts that play these roles, the seeds of each."""
        counts = [self.by_role.get(role, self.images_per_prompt) for role in roles]
        starts = [self.seed + sum(counts[:number]) for number in range(len(counts))]
        return [
            list(range(start, start + count)) for start, count in zip(starts, counts, strict=True)
        ]


class Experiment(Part):
    """Pictures from prompts by a base model, or by what a method has made of it."""

    title: str = Field(description="what a reader calls it")
    model: str = Field(description="name of a base model: likeness models list")
    subject: Key | None = Field(None, description="key of the person it is about, if any")
    painter: Key | None = Field(None, description="key of the painter it is about, if any")
    called: str = Field("a person", description="what {model} in a prompt stands for")
    method: Method = Base()
    prompts: Prompts | dict[SetName, Prompts | Grid] = Field(
        description="a list, or several by the role that their pictures play in the study"
    )
    seeds: list[Seed] | Fresh = Field(
        description="a picture per prompt and seed: the same seeds for every prompt, or fresh ones"
    )
    sampling: Sampling = Sampling()

    @property
    def asked(self) -> list[Asked]:
        """Every prompt as the model gets it, with its role, the age it asks for and its seeds."""
        lines = [
            (role, composed(text.replace(MODEL, self.called)), age)
            for role, prompts in self._by_role.items()
            for text, age in _lines(prompts)
        ]
        seeds = self._seeds([role for role, _, _ in lines])
        return [
            Asked(role=role, prompt=prompt, age=age, seeds=some)
            for (role, prompt, age), some in zip(lines, seeds, strict=True)
        ]

    @property
    def word(self) -> str:
        """What stands in its prompts for what it is about: the learned word, or a known one."""
        if isinstance(self.method, LearnedWord):
            return self.method.placeholder_token
        return composed(self.called)

    @property
    def raw_folders(self) -> list[str]:
        """Folders of a user's that it reads: its person or painter may, it itself does not."""
        return []

    @property
    def roles(self) -> list[str]:
        """The roles that its pictures play."""
        return list(self._by_role)

    @property
    def _by_role(self) -> "dict[str, list[str] | Grid]":
        return {ROLE: self.prompts} if isinstance(self.prompts, list) else dict(self.prompts)

    def _seeds(self, roles: list[str]) -> list[list[int]]:
        seeds = self.seeds
        return seeds.each(roles) if isinstance(seeds, Fresh) else [seeds] * len(roles)

    @model_validator(mode="after")
    def _each_picture_once(self) -> "Experiment":
        if self.seeds == []:
            raise ValueError(f"'{self.title}' has no seeds: give at least one")
        if isinstance(self.seeds, Fresh) and (lost := self.seeds.by_role.keys() - set(self.roles)):
            raise ValueError(
                f"'{self.title}' has seeds for role '{min(lost)}' and no prompts that play it: it "
                f"has {', '.join(self.roles)}"
            )
        if not self.prompts:
            raise ValueError(f"'{self.title}' has no prompts: give at least one")
        if taken := {HELD, TRAIN, PAINTER} & self._by_role.keys():
            raise ValueError(
                f"'{self.title}' calls its prompts '{min(taken)}', as photos of the subject or "
                "pictures by the painter are called in every table: rename them"
            )
        prompts = [one.prompt for one in self.asked]
        for name, values in (("prompts", prompts), ("seeds", self.seeds)):
            if isinstance(values, list) and len(set(values)) < len(values):
                raise ValueError(f"'{self.title}' has one of its {name} twice: keep one of them")
        return self

    @model_validator(mode="after")
    def _about_one(self) -> "Experiment":
        if self.subject is not None and self.painter is not None:
            raise ValueError(
                f"'{self.title}' is about subject '{self.subject}' and painter '{self.painter}': "
                "choose one"
            )
        return self

    @model_validator(mode="after")
    def _word_that_is_said(self) -> "Experiment":
        if not isinstance(self.method, LearnedWord):
            return self
        word = self.method.placeholder_token
        if self.painter is None:
            raise ValueError(f"'{self.title}' learns {word} and has no painter: say from whom")
        for one in self.asked:
            if word not in one.prompt:
                raise ValueError(
                    f"'{self.title}' learns {word} and its prompt '{one.prompt}' does not say it: "
                    "put it there, or ask an experiment of the method base"
                )
        return self

    @model_validator(mode="after")
    def _method_that_fits(self) -> "Experiment":
        if not isinstance(self.method, DreamBooth):
            return self
        if self.subject is None:
            raise ValueError(f"'{self.title}' has a split and no subject: say whose it is")
        if lost := self.method.rare_words_missing_in(self.called):
            raise ValueError(
                f"'{self.title}' learns '{lost[0]}' and calls its subject '{self.called}' in its "
                "prompts: put the rare token into `called`"
            )
        return self


def _lines(prompts: "list[str] | Grid") -> list[tuple[str, float | None]]:
    return prompts.lines if isinstance(prompts, Grid) else [(text, None) for text in prompts]


def _what_it_does(experiment: Any) -> str:
    """By the fields that only one kind of experiment has."""
    given = experiment if isinstance(experiment, dict) else type(experiment).model_fields
    if "bench" in given:
        return "<bench>"
    return "<edits>" if "edits" in given else "<samples>"


# What a study's experiments are; tags are no part of a field's place.
AnyExperiment = Annotated[
    Annotated[Experiment, Tag("<samples>")]
    | Annotated[DrawnEdits, Tag("<edits>")]
    | Annotated[BenchEdits, Tag("<bench>")],
    Discriminator(_what_it_does),
]
