import json

import pandas as pd
import pytest

from likeness.errors import BadInput
from likeness.models.checksums import verify
from likeness.world.figures.figure import Figure
from likeness.world.ship import ship, write_card

TRAINING = {
    "params": {"model": "face"},
    "steps": {"detector": 1600, "embedding": 1500},
    "seconds": {"detector": 151.2, "embedding": 640.0},
    "hardware": "a processor, 2 threads",
    "torch": "2.13.0",
    "date": "2026-11-21",
}
CURVE = {
    "detector": [{"step": 1, "seconds": 1.0, "loss": 3.0}, {"step": 2, "seconds": 2.0, "loss": 1.0}]
}
FIGURES = [
    Figure("face", "detection_recall", 0.991, 300, 0.97, 0.998, ">= 0.98"),
    Figure("reader", "age_error", 3.2),
]


@pytest.fixture
def trained(tmp_path):
    folder = tmp_path / "trained"
    (folder / "part").mkdir(parents=True)
    (folder / "part" / "model.safetensors").write_bytes(b"weights")
    (folder / "training.json").write_text(json.dumps(TRAINING))
    (folder / "curve.json").write_text(json.dumps(CURVE))
    return folder


def test_a_model_is_put_in_place_whole_and_readable_by_all(trained, tmp_path):
    (trained / "part" / "model.safetensors").chmod(0o600)
    place = ship("face", trained, tmp_path / "weights")
    assert place == tmp_path / "weights" / "face"
    assert (place / "part" / "model.safetensors").read_bytes() == b"weights"
    assert (place / "part" / "model.safetensors").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in (tmp_path / "weights").iterdir()] == ["face"]


def test_what_lay_there_before_is_gone(trained, tmp_path):
    place = ship("face", trained, tmp_path / "weights")
    (place / "old.txt").write_text("old")
    ship("face", trained, tmp_path / "weights")
    assert not (place / "old.txt").exists()


def test_a_file_too_large_for_the_package_is_refused_and_nothing_changes(trained, tmp_path):
    ship("face", trained, tmp_path / "weights")
    with (trained / "part" / "large.safetensors").open("wb") as file:
        file.truncate(16_000_000)
    with pytest.raises(BadInput, match=r"large\.safetensors is larger than"):
        ship("face", trained, tmp_path / "weights")
    assert not (tmp_path / "weights/face/part/large.safetensors").exists()


def test_a_card_says_what_was_done_and_what_was_measured(trained, tmp_path):
    place = ship("face", trained, tmp_path / "weights")
    write_card("face", FIGURES, tmp_path, tmp_path / "weights")
    text = (place / "README.md").read_text()
    for words in ("# small-face", "| detector | 1600 | 151 |", "a processor, 2 threads", "CosFace"):
        assert words in text
    assert "| detection_recall | 0.991 | 300 | 0.970 to 0.998 | >= 0.98 |" in text
    assert "age_error" not in text
    assert (place / "curve.png").stat().st_size > 1000
    verify(place)


def test_a_card_after_a_card_changes_figures_alone(trained, tmp_path):
    place = ship("face", trained, tmp_path / "weights")
    write_card("face", FIGURES, tmp_path, tmp_path / "weights")
    before = (place / "part" / "model.safetensors").read_bytes()
    write_card("face", [], tmp_path, tmp_path / "weights")
    assert "detection_recall" not in (place / "README.md").read_text()
    assert (place / "part" / "model.safetensors").read_bytes() == before
    verify(place)


def test_all_models_together_fit_the_package_or_nothing_changes(trained, tmp_path):
    weights = tmp_path / "weights"
    ship("face", trained, weights)
    for part in ("one", "two", "three"):
        (trained / f"{part}.safetensors").write_bytes(bytes(13_500_000))
    with pytest.raises(BadInput, match="at most 40 MB ship"):
        ship("reader", trained, weights)
    assert [path.name for path in weights.iterdir()] == ["face"]


def test_the_card_of_a_reader_shows_what_it_confuses(trained, tmp_path):
    rows = [("hat", "cap", "cap", 15), ("hat", "cap", "hat", 5), ("hat", "hat", "cap", 1)]
    table = pd.DataFrame(rows, columns=["attribute", "truth", "read", "count"])
    table.to_parquet(tmp_path / "confusion.parquet")
    place = ship("reader", trained, tmp_path / "weights")
    write_card("reader", FIGURES, tmp_path, tmp_path / "weights")
    text = (place / "README.md").read_text()
    assert "| hat | cap | hat | 0.25 | 20 |" in text
    assert "| hat | hat | cap |" not in text  # one picture is no figure
