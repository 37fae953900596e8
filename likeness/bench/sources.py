"""Where the pairs of a bench come from."""

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from likeness.studies.parts import Part, Seed


def _inner(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise ValueError(f"'{path}' leads out of the raw folder: name what lies below it")
    return path


Inner = Annotated[str, AfterValidator(_inner)]
# A prompt of all sources alike, where the bench has none.
Fallback = Annotated[
    str, Field(description="prompt of sources for which the bench has none; '' is none")
]


class WorldBench(Part):
    """The small world's own bench: pictures of which everything is known, also the right edit."""

    bench: Literal["world"] = "world"
    pairs: int = Field(40, ge=1, le=1000, description="of the eight kinds of edit in turn")
    seed: Seed = Field(0, description="another seed has other pairs")


class TEdBench(Part):
    """TEdBench (Kawar et al. 2023, *Imagic*): photos, and a list of what each is to become."""

    bench: Literal["tedbench"] = "tedbench"
    listing: Inner = Field("input_list.json", description="list of {img_name, target_text}")
    photos: Inner = Field("originals", description="folder of the photos")
    source_prompt: Fallback = ""


class WildTI2I(Part):
    """Wild-TI2I or ImageNet-R-TI2I (Tumanyan et al. 2023, *Plug-and-Play*): lists in YAML."""

    bench: Literal["wild_ti2i"] = "wild_ti2i"
    listings: list[Inner] = Field(
        ["wild-ti2i-real.yaml"],
        min_length=1,
        description="lists of {init_img, target_prompts, source_prompt?}",
    )
    photos: Inner = Field("data", description="folder of the photos; '.': beside the lists")
    source_prompt: Fallback = ""


class PieBench(Part):
    """PIE-Bench (Ju et al. 2023, *Direct Inversion*): both prompts, masks and ten categories."""

    bench: Literal["pie_bench"] = "pie_bench"
    listing: Inner = Field("mapping_file.json", description="id -> what is edited, with its mask")
    photos: Inner = Field("annotation_images", description="folder of the photos")


BenchSource = Annotated[WorldBench | TEdBench | WildTI2I | PieBench, Field(discriminator="bench")]
