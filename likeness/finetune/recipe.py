"""How DreamBooth is trained, and whether its rare token can carry a person."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from likeness.errors import BadInput
from likeness.finetune.loop import Plan
from likeness.generate.sample import Denoising
from likeness.world.tokenizer import is_of_whole_words

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

Prompt = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
WEIGHT_DECAY = 1e-2  # AdamW's, in the published recipe
# Byte-pair vocabularies are in the order of frequency: what comes before this share of the 49408
# words of CLIP is frequent ("dog" is 1929, "sks" 48136).
FREQUENT = 0.8


class LoraSettings(BaseModel):
    """Low-rank adapters beside the attention projections (Hu et al. 2021)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: int = Field(4, ge=1, le=512, description="rank of each adapter")
    alpha: int = Field(4, ge=1, description="adapters are scaled by alpha / rank")
    target_modules: list[str] = Field(
        ["to_q", "to_k", "to_v", "to_out.0"],
        min_length=1,
        description="layers of the UNet that get one, by the end of their name",
    )
    text_encoder_target_modules: list[str] = Field(
        ["q_proj", "k_proj", "v_proj", "out_proj"],
        min_length=1,
        description="layers of the text encoder that get one, if it is trained",
    )


class Judged(BaseModel):
    """The pictures made at each checkpoint, from the same prompts and seeds each time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompts: list[Prompt] = Field(
        min_length=1, max_length=16, description="with the rare token, as in the instance prompt"
    )
    images_per_prompt: int = Field(2, ge=1, le=16)
    seed: int = Field(
        1_000_000,
        ge=0,
        lt=2**31,
        description="of the first picture; each takes the next. Far from the seeds of a study: "
        "what a checkpoint was chosen by is not what it is scored by",
    )
    sampling: Denoising = Denoising()
    obedience_margin: float = Field(
        0.03,
        ge=0,
        le=1,
        description="what a checkpoint may lose of the base model's obedience to the prompts. Of "
        "the checkpoints within it, the one with the highest identity is published, of equal ones "
        "the earliest; when none is within it, the most obedient; when none could be judged, the "
        "last",
    )


class DreamBoothRecipe(BaseModel):
    """DreamBooth (Ruiz et al. 2022): a rare token learns one subject, class pictures hold the rest.

    Of the checkpoints, the best by the rule of ``judged.obedience_margin`` is published; without
    ``judged``, the last.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["dreambooth"] = "dreambooth"
    trains: Literal["full"] | LoraSettings = Field(
        "full", description="all weights, or adapters, which want a 20 to 100 times higher rate"
    )
    instance_prompt: Prompt = Field(
        "a photo of sks person", description="the class prompt's words and a rare token"
    )
    class_prompt: Prompt = Field("a photo of a person", description="what the subject is one of")
    prior_loss_weight: float = Field(
        1.0, ge=0, le=100, description="of the class pictures' loss; 0: no class pictures"
    )
    num_class_images: int = Field(
        200, ge=0, le=10_000, description="pictures of the class prompt by the base model"
    )
    train_text_encoder: bool = Field(False, description="train it too: better for faces")
    learning_rate: float = Field(2e-6, gt=0, le=1)
    steps: int = Field(800, ge=1, le=1_000_000)
    batch: int = Field(
        1, ge=1, le=256, description="instance pictures at once, with as many class pictures"
    )
    gradient_accumulation_steps: int = Field(
        1, ge=1, le=256, description="batches whose mean gradient makes one step"
    )
    schedule: Literal["constant", "one_cycle"] = "constant"
    snr_gamma: float | None = Field(
        None, gt=0, description="min-SNR weights for the instance loss (Hang et al. 2023): 5"
    )
    offset_noise: float = Field(
        0.0, ge=0, le=1, description="share of noise that is one value per channel; usual: 0.1"
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "bfloat16", description="of the products; weights and moments stay float32"
    )
    gradient_checkpointing: bool = Field(
        False, description="compute the UNet's activations twice instead of keeping them"
    )
    ema: float | None = Field(None, gt=0, lt=1, description="decay of averaged weights")
    flip: bool = Field(False, description="mirrored pictures too; faces are not symmetric")
    seed: int = Field(0, ge=0, lt=2**31)
    checkpoint_steps: int = Field(200, ge=1, description="steps from checkpoint to checkpoint")
    judged: Judged | None = Field(None, description="none: no pictures, the last one is published")

    @property
    def rare_words(self) -> list[str]:
        """Words of the instance prompt that the class prompt has not, in order."""
        known = set(_words(self.class_prompt))
        return [word for word in dict.fromkeys(_words(self.instance_prompt)) if word not in known]

    def rare_words_missing_in(self, text: str) -> list[str]:
        """The rare words that a prompt, or a part of one, does not say, in order."""
        said = set(_words(text))
        return [word for word in self.rare_words if word not in said]

    @property
    def plan(self) -> Plan:
        """What the training loop needs of it."""
        return Plan(
            steps=self.steps,
            learning_rate=self.learning_rate,
            schedule=self.schedule,
            weight_decay=WEIGHT_DECAY,
            ema=self.ema,
            precision=self.precision,
            seed=self.seed,
            checkpoint_steps=self.checkpoint_steps,
            gradient_accumulation_steps=self.gradient_accumulation_steps,
        )

    def without_token(self, prompt: str) -> str:
        """The prompt as a model that has not learned the rare token would be asked."""
        rare = set(self.rare_words)
        return " ".join(word for word in prompt.split() if word.lower().strip(",.;:!?") not in rare)

    @model_validator(mode="after")
    def _prompts_that_fit(self) -> "DreamBoothRecipe":
        lost = set(_words(self.class_prompt)) - set(_words(self.instance_prompt))
        if lost:
            raise ValueError(
                f"the instance prompt '{self.instance_prompt}' lacks '{min(lost)}' of the class "
                f"prompt '{self.class_prompt}': say the class there too"
            )
        if not self.rare_words:
            raise ValueError(
                f"the instance prompt '{self.instance_prompt}' has no word beyond the class "
                "prompt: add a rare token such as sks"
            )
        if self.prior_loss_weight > 0 and self.num_class_images == 0:
            raise ValueError(
                "prior_loss_weight needs class pictures: raise num_class_images, or set it to 0"
            )
        return self


def _words(prompt: str) -> list[str]:
    """Lower-case words without the punctuation around them."""
    words = (word.strip(",.;:!?") for word in prompt.lower().split())
    return [word for word in words if word]


def checked_token(tokenizer: "CLIPTokenizer", recipe: DreamBoothRecipe) -> list[str]:
    """Warnings about the rare token, as sentences; none when one of its words is one rare token.

    Raises BadInput when the instance prompt has no token beyond the class prompt, as the tokenizer
    reads them.
    """
    instance, of_class = (
        set(tokenizer(prompt, truncation=True)["input_ids"])
        for prompt in (recipe.instance_prompt, recipe.class_prompt)
    )
    if not instance - of_class:
        raise BadInput(
            f"'{recipe.instance_prompt}' is read as the same tokens as '{recipe.class_prompt}': "
            "put a rare token such as sks in front of the class"
        )
    warnings = [_warning(tokenizer, word) for word in recipe.rare_words]
    return [] if None in warnings else [warning for warning in warnings if warning]


def _warning(tokenizer: "CLIPTokenizer", word: str) -> str | None:
    pieces = tokenizer.tokenize(word)
    if len(pieces) > 1:
        return f"'{word}' is read as {len(pieces)} pieces, which other words share"
    if _is_frequent(tokenizer, word):
        return f"'{word}' is a word the model knows well: what it means will bleed in"
    return None


def _is_frequent(tokenizer: "CLIPTokenizer", word: str) -> bool:
    if is_of_whole_words(tokenizer):
        from likeness.world.words import RARE

        return word not in RARE
    number = int(tokenizer.convert_tokens_to_ids(tokenizer.tokenize(word))[0])
    return number < FREQUENT * len(tokenizer)
