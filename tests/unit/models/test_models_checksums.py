import os
import subprocess

import pytest

from likeness.errors import BadInput
from likeness.models import checksums

# published test vector of sha256
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "w.safetensors").write_bytes(b"abc")
    (tmp_path / "model_index.json").write_bytes(b"{}")
    return tmp_path


def test_the_list_is_what_sha256sum_reads(folder):
    file = checksums.write_sums(folder)
    assert f"{ABC}  unet/w.safetensors\n" in file.read_text()
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", file.name], cwd=folder, check=True
    )
    checksums.verify(folder)


def test_a_changed_byte_is_found_though_the_size_stays(folder):
    checksums.write_sums(folder)
    checksums.verify(folder)
    (folder / "unet" / "w.safetensors").write_bytes(b"abd")
    os.utime(folder / "unet" / "w.safetensors", (1, 1))
    with pytest.raises(BadInput, match=r"w\.safetensors is damaged"):
        checksums.verify(folder)


def test_a_missing_file_and_a_broken_list_are_found(folder):
    checksums.write_sums(folder)
    (folder / "model_index.json").unlink()
    with pytest.raises(BadInput, match=r"model_index\.json is missing"):
        checksums.verify(folder)
    for line in ("no sum", f"{ABC}  ../outside", f"{ABC}  /outside", f"{ABC.upper()}  a"):
        (folder / checksums.SUMS).write_text(line)
        with pytest.raises(BadInput, match="line 1"):
            checksums.verify(folder)


def test_the_digest_goes_by_names_and_bytes_not_by_place_or_list(folder, tmp_path_factory):
    before = checksums.digest(checksums.sums_of(folder))
    checksums.write_sums(folder)
    assert checksums.digest(checksums.sums_of(folder)) == before
    other = tmp_path_factory.mktemp("other") / "copy"
    folder.rename(other)
    assert checksums.digest(checksums.sums_of(other)) == before
    (other / "unet").rename(other / "unet2")
    assert checksums.digest(checksums.sums_of(other)) != before


def test_an_unchanged_file_is_read_once(folder, monkeypatch):
    file = folder / "unet" / "w.safetensors"
    assert checksums.sha256_of(file) == ABC

    def refuse(*args):
        raise AssertionError("read again")

    monkeypatch.setattr(checksums.hashlib, "file_digest", refuse)
    assert checksums.sha256_of(file) == ABC


def test_the_digest_is_that_of_an_artefact_with_the_same_files(folder):
    from resources.manifest import content_digest, describe_folder

    assert checksums.digest(checksums.sums_of(folder)) == content_digest(describe_folder(folder))


def test_cards_and_curves_are_no_part_of_a_model(folder):
    before = checksums.sums_of(folder)
    for name in ("README.md", "curve.png", "curve.json", "training.json", "measured.json"):
        (folder / name).write_text("one")
    checksums.write_sums(folder)
    assert checksums.sums_of(folder) == before
    (folder / "README.md").write_text("two")
    (folder / "curve.json").unlink()
    checksums.verify(folder)


def test_what_a_single_network_or_a_processor_reads_is_part_of_it(folder):
    names = {"config.json", "a.safetensors", "vocab.json", "merges.txt", "tokenizer_config.json"}
    names |= {"preprocessor_config.json", "special_tokens_map.json", "tokenizer.json"}
    for name in names:
        (folder / name).write_text("{}")
    assert set(checksums.sums_of(folder)) >= names
