"""Gates of the small world's models: what must hold before one can ship in the package."""

import dagster as dg

from likeness.world.ship import LARGEST_MB
from resources.manifest import Manifest

SAFE = "world__weights_are_safetensors"
SMALL = "world__files_fit_the_package"


def specs(asset: str) -> list[dg.AssetCheckSpec]:
    """The checks of one model."""
    return [
        dg.AssetCheckSpec(
            SAFE,
            asset=asset.split("/"),
            blocking=True,
            description="There are weights, and nothing in the folder is a pickle.",
        ),
        dg.AssetCheckSpec(
            SMALL,
            asset=asset.split("/"),
            blocking=True,
            description=f"No file is larger than {LARGEST_MB} MB: larger weights come in shards.",
        ),
    ]


def check_model(manifest: Manifest) -> tuple[dg.AssetCheckResult, ...]:
    """Read from the list of files alone."""
    names = [entry.path for entry in manifest.files]
    pickles = [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl", ".ckpt"))]
    weights = [name for name in names if name.endswith(".safetensors")]
    large = [entry.path for entry in manifest.files if entry.bytes > LARGEST_MB * 1e6]
    return (
        dg.AssetCheckResult(
            check_name=SAFE,
            passed=bool(weights) and not pickles,
            metadata={"weights": len(weights), "pickles": dg.MetadataValue.json(pickles)},
        ),
        dg.AssetCheckResult(
            check_name=SMALL, passed=not large, metadata={"large": dg.MetadataValue.json(large)}
        ),
    )
