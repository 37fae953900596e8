"""How a word is learned by Textual Inversion."""

import unicodedata
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from likeness.finetune.loop import Plan
from likeness.finetune.recipe import WEIGHT_DECAY, DreamBoothRecipe, Judged, Prompt
from likeness.finetune.templates import PLAIN, PUBLISHED, Property
from likeness.models.learned_word import why_not

SLOT = "{}"


def composed(text: str) -> str:
    """The text in composed letters (NFC), in which tokenizers read it."""
    return unicodedata.normalize("NFC", text)


Composed = AfterValidator(composed)
Token = Annotated[str, StringConstraints(min_length=1, max_length=60), Composed]
Sentences = Annotated[list[Annotated[Prompt, Composed]], Field(min_length=1)]


class Crops(BaseModel):
    """Squares cut from each picture at random places, before the training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(ge=1, le=64, description="of each picture")
    share: float = Field(1.0, gt=0, le=1, description="side, of the picture's shorter side")


class TextualInversionRecipe(BaseModel):
    """Textual Inversion (Gal et al. 2022): a new word is learned, every network stays as it is.

    Of the checkpoints, the best by the rule of ``judged.obedience_margin`` is published; without
    ``judged``, the last.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["textual_inversion"] = "textual_inversion"
    placeholder_token: Token = Field(
        description="the new word, best in angle brackets, such as <cezanne>: no word the model "
        "knows; in lower case when it has several vectors"
    )
    initializer_token: Annotated[Prompt, Composed] = Field(
        description="the word or words whose vectors it begins with, spread evenly over its own"
    )
    num_vectors: int = Field(
        1, ge=1, le=64, description="vectors of the word; many copy well and obey badly"
    )
    learnable_property: Property = Field("object", description="what of the pictures is learned")
    templates: Literal["published", "plain"] | Sentences = Field(
        "published",
        description="sentences with {} for the word, one drawn for each picture: those of the "
        "paper, those that the small world knows, or your own",
    )
    learning_rate: float = Field(5e-4, gt=0, le=1)
    scale_lr: bool = Field(
        True, description="times batch times gradient_accumulation_steps, as published"
    )
    steps: int = Field(3000, ge=1, le=1_000_000)
    batch: int = Field(4, ge=1, le=256, description="pictures at once")
    gradient_accumulation_steps: int = Field(
        1, ge=1, le=256, description="batches whose mean gradient makes one step"
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "bfloat16", description="of the products; the word's vectors stay float32"
    )
    ema: float | None = Field(None, gt=0, lt=1, description="decay of averaged vectors")
    flip: bool = Field(False, description="mirrored pictures too")
    crops: Crops | None = Field(None, description="parts of prepared pictures; none: their squares")
    seed: int = Field(0, ge=0, lt=2**31)
    checkpoint_steps: int = Field(250, ge=1, description="steps from checkpoint to checkpoint")
    judged: Judged | None = Field(None, description="none: no pictures, the last one is published")
    then: DreamBoothRecipe | None = Field(
        None,
        description="the network, taught the same pictures under the word that is learned by then; "
        "none: it stays as it is",
    )

    @property
    def sentences(self) -> list[str]:
        """The templates with the word in them."""
        named = {"published": PUBLISHED, "plain": PLAIN}
        own = self.templates
        chosen = named[own][self.learnable_property] if isinstance(own, str) else own
        return [template.replace(SLOT, self.placeholder_token) for template in chosen]

    @property
    def rate(self) -> float:
        """The learning rate that AdamW gets."""
        size = self.batch * self.gradient_accumulation_steps if self.scale_lr else 1
        return self.learning_rate * size

    @property
    def plan(self) -> Plan:
        """What the training loop needs of it."""
        return Plan(
            steps=self.steps,
            learning_rate=self.rate,
            schedule="constant",
            weight_decay=WEIGHT_DECAY,
            ema=self.ema,
            precision=self.precision,
            seed=self.seed,
            checkpoint_steps=self.checkpoint_steps,
            gradient_accumulation_steps=self.gradient_accumulation_steps,
        )

    def without_token(self, prompt: str) -> str:
        """The prompt as a model that has not learned the word would be asked."""
        return " ".join(composed(prompt).replace(self.placeholder_token, "").split())

    @model_validator(mode="after")
    def _can_be_read(self) -> "TextualInversionRecipe":
        if reason := why_not(self.placeholder_token, self.num_vectors):
            raise ValueError(f"placeholder_token {reason}")
        if self.rate > 1:
            raise ValueError(f"the scaled learning rate is {self.rate:g}: lower learning_rate")
        return self

    @model_validator(mode="after")
    def _keeps_the_word(self) -> "TextualInversionRecipe":
        if self.then is None:
            return self
        if self.then.train_text_encoder:
            raise ValueError("then.train_text_encoder would move the word: leave it out")
        judged = self.then.judged.prompts if self.then.judged else []
        for prompt in (self.then.instance_prompt, *judged):
            if self.placeholder_token not in composed(prompt):
                raise ValueError(
                    f"the prompt '{prompt}' of then has no {self.placeholder_token}: say it there"
                )
        return self

    @model_validator(mode="after")
    def _says_the_word(self) -> "TextualInversionRecipe":
        for template in () if isinstance(self.templates, str) else self.templates:
            if template.count(SLOT) != 1:
                raise ValueError(f"the template '{template}' needs {SLOT} once, for the word")
        for prompt in self.judged.prompts if self.judged else ():
            if self.placeholder_token not in composed(prompt):
                raise ValueError(
                    f"the judged prompt '{prompt}' has no {self.placeholder_token}: say it there"
                )
        return self
