"""The small world's bench as files: every picture, mask and row fits the others."""

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from likeness.bench.pairs import KINDS, TABLE, accepted, read_pairs
from likeness.bench.sources import PieBench, WorldBench
from likeness.bench.tasks import PREVIEW, BenchParams, edit_pairs
from likeness.digests import sha256_file
from likeness.images import image_set

SIDE = 64


def made(folder):
    params = BenchParams(source={"bench": "world", "pairs": 8}, resolution=SIDE)
    return edit_pairs(params, {}, folder / "output", folder / "scratch"), folder / "output"


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return made(tmp_path_factory.mktemp("bench"))


def pixels(file, mode):
    with Image.open(file) as picture:
        assert (picture.mode, picture.size) == (mode, (SIDE, SIDE))
        return np.asarray(picture)


def test_every_pair_has_its_files_and_they_fit(bench):
    summary, folder = bench
    pairs = accepted(read_pairs(folder))
    assert [pair.kind for pair in pairs] == list(KINDS)
    assert [pair.label for pair in pairs] == [f"{kind}-0" for kind in KINDS]
    table = image_set.read(folder).set_index("image_id")
    assert len(table) == summary["images"] == len(pairs)
    for pair in pairs:
        row = table.loc[pair.image_id]
        assert row["prompt"] == pair.source_prompt
        assert row["sha256"] == sha256_file(folder / row["file"])
        assert pair.image_id == row["sha256"][:16]
        before, after = (pixels(folder / file, "RGB") for file in (row["file"], pair.after))
        assert (before != after).any()
        if pair.mask is not None:
            mask = pixels(folder / pair.mask, "L")
            assert set(np.unique(mask)) == {0, 255}
            assert (before == after)[mask == 0].all()


def test_nothing_else_lies_there(bench):
    summary, folder = bench
    assert {path.name for path in folder.iterdir()} == {
        "images",
        "masks",
        "after",
        "images.parquet",
        TABLE,
        PREVIEW,
    }
    assert len(list((folder / "masks").iterdir())) == summary["with_mask"] == len(KINDS) - 1
    assert len(list((folder / "after").iterdir())) == summary["with_true_edit"] == len(KINDS)


def test_the_same_bytes_every_time(bench, tmp_path):
    _, folder = bench
    _, again = made(tmp_path)
    files = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    for file in files:
        assert sha256_file(folder / file) == sha256_file(again / file), file


def test_a_source_is_told_by_its_name():
    params = BenchParams.model_validate({"source": {"bench": "pie_bench"}, "resolution": 512})
    assert isinstance(params.source, PieBench)
    assert isinstance(BenchParams(source={"bench": "world"}, resolution=64).source, WorldBench)
    for source in ({"bench": "other"}, {"bench": "world", "listing": "list.json"}, {}):
        with pytest.raises(ValidationError):
            BenchParams.model_validate({"source": source, "resolution": 64})
    with pytest.raises(ValidationError, match="multiple of 8"):
        BenchParams(source={"bench": "world"}, resolution=66)
