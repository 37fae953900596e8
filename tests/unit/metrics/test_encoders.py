"""What the bytes of an encoder are, by whatever name it is called."""

import shutil

import pytest

from likeness.errors import BadInput
from likeness.metrics.encoders import KNOWN, identities

FILES = ("config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json")


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """A hub that cannot be reached, and its empty cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "mine")


def write(folder):
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text(f"{name} 0")
    return folder


def identity(source):
    (found,) = identities(source).items()
    assert found[0] == str(source)
    return found[1]


@pytest.mark.parametrize("name", FILES)
def test_another_byte_in_a_folder_is_another_encoder_and_the_same_bytes_are_the_same(folder, name):
    before = identity(str(folder))
    assert before.startswith("content://")
    assert identity(folder) == before
    (folder / name).write_text(f"{name} 1")
    assert identity(str(folder)) != before
    (folder / name).write_text(f"{name} 0")
    assert identity(str(folder)) == before


def test_weights_of_before_safetensors_count_where_they_are_what_is_read(folder):
    (folder / "pytorch_model.bin").write_text("0")
    before = identity(str(folder))
    (folder / "pytorch_model.bin").write_text("1")
    assert identity(str(folder)) == before
    (folder / "model.safetensors").unlink()
    without = identity(str(folder))
    (folder / "pytorch_model.bin").write_text("2")
    assert identity(str(folder)) != without


def test_where_a_folder_lies_and_what_is_not_read_of_it_changes_nothing(folder, tmp_path):
    before = identity(str(folder))
    moved = shutil.copytree(folder, tmp_path / "elsewhere")
    (moved / ".cache").mkdir()
    (moved / ".cache" / "fetched.json").write_text("today")
    (moved / "README.md").write_text("about it")
    assert identity(str(moved)) == before


def test_nobody_is_asked_about_a_pinned_commit_or_what_ships():
    assert identities("small-clip", None) == {}
    assert identities("clip-vit-l-14", "some/dino@" + "b" * 40) == {
        "clip-vit-l-14": f"hub://{KNOWN['clip-vit-l-14']}",
        "some/dino@" + "b" * 40: "hub://some/dino@" + "b" * 40,
    }


def test_a_name_on_the_hub_is_the_commit_that_is_here(hub):
    model = hub / "models--some--dino"
    (model / "refs").mkdir(parents=True)
    for commit in ("a" * 40, "b" * 40):
        write(model / "snapshots" / commit)
        (model / "refs" / "main").write_text(commit)
        assert identity("some/dino") == f"hub://some/dino@{commit}"


def test_an_encoder_that_cannot_be_had_is_none(tmp_path):
    for source in ("nowhere", tmp_path / "no" / "where"):
        with pytest.raises(BadInput, match="there is no encoder"):
            identities(source)
    with pytest.raises(BadInput, match=r"some/dino could not be fetched from the hub"):
        identities("some/dino")
