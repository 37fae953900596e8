"""The models that ship, on small samples: what their cards say of large ones still holds.

Every bound is the target itself where it is met. Where it is not, the bound is what the card says,
less two standard errors of the sample here: it may get better, and never worse unnoticed.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from likeness.models.checksums import verify
from likeness.world.measure import _JUDGES as JUDGES
from likeness.world.measure import SAMPLING, held_out_prompts, prompts_followed
from likeness.world.ship import LARGEST_MB, LARGEST_TOTAL_MB, MODELS, WEIGHTS

MB = 1e6


def test_all_four_ship_whole_and_small():
    files = [file for file in WEIGHTS.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= LARGEST_TOTAL_MB * MB
    assert max(file.stat().st_size for file in files) <= LARGEST_MB * MB
    for model in MODELS:
        verify(WEIGHTS / model)
        card = (WEIGHTS / model / "README.md").read_text()
        assert all(word in card for word in ("Made by", "seconds", "Measured", "torch"))
    # weights and tables of numbers; nothing that runs code when it is read
    kinds = {file.suffix for file in files}
    assert kinds <= {".safetensors", ".json", ".md", ".png", ".parquet", ".txt", ".jinja", ""}
    index = json.loads((WEIGHTS / "base" / "model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
