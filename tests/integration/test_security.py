"""Texts, files and answers of others: shown, counted or refused, and never run."""

import html.parser
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import numpy as np
import pytest
import tiny_study
from PIL import ExifTags, Image, PngImagePlugin

from likeness.errors import BadInput
from resources.inbox import Inbox
from resources.manifest import Stored, Work, fingerprint_of
from resources.store import open_store
from resources.warehouse import query

pytestmark = pytest.mark.slow

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(2)>'
DROP = "x'); DROP TABLE images; --"
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "sesame-of-the-bucket",
    "LIKENESS_SMTP_PASSWORD": "sesame-of-the-mail",
    "LIKENESS_NOTIFY": "https://hooks.example.org/sesame-of-the-hook",
    "HF_TOKEN": "hf_sesameofthehub",
}
STUDY = f"""
name: evil
title: "Study {SCRIPT}"
about: "{DROP}"
painters:
  he:
    title: "He {SCRIPT}"
    classes:
      0: {{name: "his {SCRIPT}", folders: [his]}}
      1: {{name: "others", folders: [others]}}
    split: {{valid: 0.25, test: 0.25}}
    prepare: {{size: 64}}
networks:
  probe: {{painter: he, recipe: {{architecture: probe}}}}
experiments:
  plain:
    title: "Plain {SCRIPT}"
    model: tiny
    prompts: ["a photo of {SCRIPT}", "{DROP}", '{IMAGE} a dog']
    seeds: [3]
    sampling: {{num_inference_steps: 10, batch: 1}}
published:
  source: "a book {SCRIPT}"
"""
NAMES = ("<svg onload=alert(3)>", DROP, "$(touch pwned)", "%2e%2e%2fup", "a\nb", "plain")


def write_pictures(folder: Path, seed: int) -> None:
    """Pictures of noise with odd names, and with texts in all that a picture says of itself."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = SCRIPT
    exif[ExifTags.Base.Artist] = IMAGE
    exif.get_ifd(0x8769)[0x9003] = SCRIPT
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", SCRIPT)
    for number, name in enumerate(NAMES):
        noise = Image.fromarray(rng.integers(0, 256, (80, 80, 3), dtype=np.uint8))
        noise.save(folder / f"{name}-{number}.jpg", exif=exif)
        noise.rotate(90).save(folder / f"{name}-{number}.png", pnginfo=said)
    (folder / f"{IMAGE}.txt").write_text(SCRIPT)


@pytest.fixture(scope="module")
def evil(tmp_path_factory):
    """What a study leaves in which every text, name and field is an attack."""
    work = tmp_path_factory.mktemp("evil")
    tiny_study.rooms(work)
    for seed, folder in enumerate(("his", "others")):
        write_pictures(work / "raw" / folder, seed)
    return tiny_study.run(work, "evil", STUDY, **SECRETS)


def tags_of(page):
    found = []
    parser = html.parser.HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    parser.feed(page)
    return found


def test_a_study_full_of_attacks_runs_like_any_other(evil):
    assert [run["failures"] for run in evil.runs] == [[], []]
    assert not Path("pwned").exists()


def test_no_text_becomes_a_tag_or_a_handler_on_the_page(evil):
    tags = tags_of(evil.page)
    assert {tag for tag, _ in tags} & {"script", "svg", "iframe", "object", "form"} == set()
    # links lead to places of this page, and to pages beside it
    places = {"#" + given["id"] for _, given in tags if "id" in given}
    links = {given["href"] for tag, given in tags if tag == "a"}
    assert {link for link in links if not re.fullmatch(r"[\w%]+\.html", link)} <= places
    assert [name for _, given in tags for name in given if name.startswith("on")] == []
    sources = [given["src"] for tag, given in tags if tag == "img"]
    assert sources
    assert all(source.startswith("pictures/") and ".." not in source for source in sources)
    # shown as they are
    assert evil.page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5
    assert "alert(2)" in evil.page
    (policy,) = (given["content"] for tag, given in tags if given.get("http-equiv"))
    assert policy.startswith("default-src 'none'")


def test_names_of_files_are_values_of_the_warehouse_and_no_commands(evil):
    rows = query(evil.warehouse, "SELECT * FROM images WHERE role = 'painting'")
    assert (rows["status"] == "accepted").sum() == 2 * 2 * len(NAMES)
    assert (rows["status"] == "rejected").sum() == 2
    assert rows["path"].str.contains("DROP TABLE").sum() == 4
    prompts = query(evil.warehouse, "SELECT DISTINCT prompt FROM images WHERE prompt IS NOT NULL")
    assert DROP in set(prompts["prompt"])
    found = query(evil.warehouse, "SELECT * FROM images WHERE prompt = ?", [DROP])
    assert len(found) == 1


def test_what_a_picture_says_of_itself_is_not_kept(evil):
    folder = evil.artifacts.fetch(evil.artifacts.current("painters/paintings", "he"))
    files = list(folder.glob("images/*.png"))
    assert len(files) == 2 * 2 * len(NAMES)
    assert not [path for path in files if b"alert" in path.read_bytes()]


def test_metadata_of_assets_hold_no_markup_but_pictures(evil):
    seen = 0
    with dg.DagsterInstance.local_temp(str(evil.state / "dagster")) as instance:
        for key in instance.get_asset_keys():
            records = instance.fetch_materializations(key, limit=20).records
            for record in records:
                for value in record.asset_materialization.metadata.values():
                    seen += 1
                    if isinstance(value, dg.MarkdownMetadataValue):
                        place = r"/\w+/\w+/[0-9a-f]{64}"
                        assert re.fullmatch(rf"!\[(\w+\.\w+)\]\({place}/\1\)", value.value)
                    assert not isinstance(value, dg.UrlMetadataValue)
    assert seen > 50


def test_no_secret_is_written_anywhere(evil):
    words = [value.rpartition("/")[2].encode() for value in SECRETS.values()]
    files = [path for path in evil.state.rglob("*") if path.is_file()]
    assert len(files) > 50
    # what is packed would hide it; of what says how a run went, nothing is
    assert not [path for path in files if any(word in path.read_bytes() for word in words)]
    assert not [word for word in words if word.decode() in evil.said]


@pytest.mark.s3
def test_no_secret_reaches_the_bucket_or_the_settings_of_a_run(s3_environment, tmp_path, caplog):
    from resources.artifacts import Artifacts

    uri = f"s3://{s3_environment.bucket}/{tmp_path.name}"
    work = Work(asset="small/number", fingerprint=fingerprint_of({"a": 1}))
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "a").write_text("1")
    store = open_store(uri, tmp_path / "cache", 1)
    store.set_ref("small/number", "a", store.publish(tmp_path / "made", work), False, 0.0)
    written = [*s3_environment.folder.rglob("*"), *tmp_path.rglob("*")]
    files = [path.read_bytes() for path in written if path.is_file()]
    assert not [data for data in files if s3_environment.secret.encode() in data]
    artifacts = Artifacts(store_uri=uri, state_dir=str(tmp_path))
    assert s3_environment.secret not in repr(artifacts) + str(store.__dict__) + caplog.text


# What a server answers.


@pytest.mark.s3
@pytest.mark.parametrize(
    "key", ["../up.png", "a/../../up.png", "/etc/up.png", "a//b.png", "a/./b.png", "a\0b.png"]
)
def test_a_name_in_a_bucket_cannot_leave_the_raw_folder(s3_environment, tmp_path, monkeypatch, key):
    inbox = Inbox(f"s3://{s3_environment.bucket}/{tmp_path.name}", tmp_path / "state")
    answers = SimpleNamespace(
        listing=lambda prefix: {"good.png": Stored(1, 0.0), key: Stored(1, 0.0)},
        stream=lambda name: iter([b"x"]),
    )
    monkeypatch.setattr(inbox, "_backend", answers)
    with pytest.raises(BadInput, match="has no name that a file can have"):
        inbox.copy_to(tmp_path / "raw")
    assert list((tmp_path / "raw").iterdir()) == []


# Models of others.


class Attack:
    """Opened as a pickle, it leaves a file."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (self.trace,)


def test_a_model_whose_weights_are_a_program_is_refused_and_not_run(tmp_path, monkeypatch):
    import tiny_pipeline
    import torch
    from transformers import CLIPTextModel

    from likeness.metrics.encoders import load_network
    from likeness.models.load import load_folder

    folder = tiny_pipeline.write(tmp_path / "model")
    trace = tmp_path / "trace"
    for part, name in (("unet", "diffusion_pytorch_model"), ("text_encoder", "model")):
        bad = tmp_path / part
        shutil.copytree(folder, bad)
        (weights,) = (bad / part).glob("*.safetensors")
        weights.unlink()
        old = "pytorch_model" if part == "text_encoder" else name
        torch.save({"a": Attack(str(trace))}, bad / part / f"{old}.bin")
        with pytest.raises(BadInput, match="is a pickle"):
            load_folder(bad, "float32")
        # the same bytes under a harmless name
        (bad / part / f"{old}.bin").rename(weights)
        with pytest.raises(BadInput):
            load_folder(bad, "float32")
    # an encoder may be an old file of tensors, never one of a program
    torch.save(
        {"a": Attack(str(trace))}, tmp_path / "text_encoder" / "text_encoder" / "pytorch_model.bin"
    )
    with pytest.raises(BadInput):
        load_network(CLIPTextModel, tmp_path / "text_encoder" / "text_encoder", "cpu")
    assert not trace.exists()
