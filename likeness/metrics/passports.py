"""What a number was measured with; two numbers compare only if their passports do."""

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from likeness.models.checksums import sha256_of

FILE = "passports.json"
Named = dict[str, str]
# The original protocol of SSIM on pictures of 256 px, of whatever size they were.
ORIGINAL_256 = "original_256"


class Passport(BaseModel):
    """A measure as it was taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    protocol: str
    model: str = Field("", description="what looked at the pictures, if a model did")
    revision: str = Field("", description="digest of its weights")
    preprocessing: str = Field("", description="what was done to the pictures before")
    libraries: dict[str, str] = Field({}, description="versions of what computed it")

    @property
    def passport_id(self) -> str:
        """First 16 hex digits of the sha256 of all fields."""
        text = json.dumps(self.model_dump(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def named(self) -> Named:
        """What a row of a table says of its measure."""
        return {
            "metric": self.metric,
            "protocol": self.protocol,
            "passport_id": self.passport_id,
        }


def versions(*libraries: str) -> dict[str, str]:
    """Installed versions by distribution name."""
    return {name: metadata.version(name) for name in libraries}


def of_ssim(protocol: str, side: int) -> Passport:
    """SSIM at this side in px."""
    window = "uniform 7" if protocol == "original" else "gaussian sigma 1.5"
    return Passport(
        metric="ssim",
        protocol=protocol,
        preprocessing=f"gray, area to {side} x {side}, window {window}",
        libraries=versions("numpy", "opencv-contrib-python-headless"),
    )


def of_published_ssim() -> Passport:
    """SSIM as the published tables of Prompt-to-Prompt's pictures were made."""
    return Passport(
        metric="ssim",
        protocol=ORIGINAL_256,
        preprocessing="colour bilinear to 256 x 256, then gray, window uniform 7",
        libraries=versions("numpy", "opencv-contrib-python-headless"),
    )


def of_reader(metric: str, protocol: str, weights: Path) -> Passport:
    """What the small world's reader says."""
    return Passport(
        metric=metric,
        protocol=protocol,
        model="small-reader",
        revision=sha256_of(weights / "model.safetensors"),
        preprocessing="area to 64 x 64",
        libraries=versions("torch", "numpy"),
    )


def of_faces(said: dict[str, str], threshold: float) -> Passport:
    """Verification by a face backend, from the ``passport.json`` beside its faces."""
    known = {name: said[name] for name in ("model", "revision")}
    detector = f"detector {said['detector']}, {said['distance']} distance at most {threshold:g}"
    rest = {k: v for k, v in said.items() if k not in {*known, "detector", "distance"}}
    return Passport(
        metric="verification",
        protocol="best pair of faces",
        preprocessing=detector,
        libraries=rest,
        **known,
    )


def write(folder: Path, passports: list[Passport]) -> None:
    """``passports.json``: a list, each with its id."""
    rows: list[dict[str, Any]] = [
        {"passport_id": one.passport_id} | one.model_dump() for one in passports
    ]
    (folder / FILE).write_text(json.dumps(rows, indent=1) + "\n")
