"""Pictures after a painter beside his own, by the shipped small CLIP and by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import small_sets
from skimage.metrics import structural_similarity

from likeness.errors import BadInput
from likeness.images import image_set
from likeness.images.prepare import Preparation
from likeness.metrics import painter, tables
from likeness.metrics.clip import open_clip_folder
from likeness.metrics.frechet import frechet_distance
from likeness.metrics.painter import PainterScoresParams, score_painter

SIDE = 24
WORD = "<Cézanne>"
ASKED = [
    ("TISD", f"painting in the style of {WORD}"),
    ("TISD", f"painting in the style of {WORD}"),
    ("TISD", f"painting in the style of {WORD}"),
    ("edit", f"painting of a dog in the style of {WORD}"),
    ("edit", f"painting of a forest in the style of {WORD}"),
    ("edit", f"painting of a forest in the style of {WORD}"),
    ("edit", f"painting of a man in the style of {WORD}"),
]


class Reader:
    """Takes dark pictures for the master's."""

    def read(self, pictures):
        dark = pictures.mean((1, 2, 3)) < 128
        return SimpleNamespace(painter=np.where(dark, "master", "none"))


@pytest.fixture
def score(tmp_path, monkeypatch):
    """Calls ``score_painter`` on seven pictures and four by the painter; prompts say WORD."""
    monkeypatch.setattr("likeness.world.reader.read.Reader.load", lambda folder: Reader())
    real = small_sets.write_set(
        tmp_path / "images", [small_sets.row(small_sets.noise(n, SIDE, 0, 200)) for n in range(4)]
    )

    def call(said=WORD, lost=(), **params):
        # every second picture is dark; each is twice as large as the painter's
        rows = [
            small_sets.row(small_sets.noise(10 + n, 2 * SIDE, *((0, 90) if n % 2 else (150, 256))))
            | {"role": role, "prompt": prompt.replace(WORD, said)}
            for n, (role, prompt) in enumerate(ASKED)
        ]
        pictures = tmp_path / f"made {len(list(tmp_path.iterdir()))}"
        made = small_sets.write_set(pictures, rows)
        rejected = {"status": "rejected", "reason": "the picture is of one colour"}
        gone = [{"role": role, "file": f"images/{one}.png", "image_id": one} for one, role in lost]
        frame = image_set.frame([one | rejected for one in gone], {"role": "string"})
        image_set.write(pictures, pd.concat([made, frame], ignore_index=True))
        output = tmp_path / "out"
        output.mkdir(exist_ok=True)
        asked = PainterScoresParams(
            painted=list(real["image_id"]),
            own={"NEW": list(real["image_id"])[:2]},
            prepare=Preparation(size=SIDE, color="color"),
            **params,
        )
        inputs = {"made": pictures, "images": tmp_path / "images"}
        summary = score_painter(asked, inputs, output, tmp_path / "scratch")
        scores = tables.read(output, "scores.parquet")
        means = tables.read(output, "means.parquet")
        return SimpleNamespace(
            summary=summary,
            ids=list(made["image_id"]),
            scores=scores,
            told={(r.metric, r.image_id): r.value for r in scores.itertuples()},
            means={
                (r.metric, r.role): r
                for r in means.itertuples()
                if r.part == "all" and r.protocol != "cosine of mean"
            },
            table=means,
            papers=json.loads((output / "passports.json").read_text()),
            real=[image_set.files_of(tmp_path / "images", [one])[0] for one in real["image_id"]],
            made=[tmp_path / "scratch" / "made" / f"{one}.png" for one in made["image_id"]],
        )

    return call


def values(found, metric, numbers=range(7)):
    return [found.told[metric, found.ids[n]] for n in numbers]


def gray(file):
    from PIL import Image

    return np.asarray(Image.open(file).convert("L"), np.float64)


def test_ssim_is_the_mean_over_the_painters_pictures_as_scikit_image_has_it(score):
    found = score()
    wanted = [
        np.mean(
            [
                structural_similarity(
                    gray(one),
                    gray(other),
                    data_range=255,
                    gaussian_weights=True,
                    sigma=1.5,
                    use_sample_covariance=False,
                )
                for other in found.real
            ]
        )
        for one in found.made
    ]
    np.testing.assert_allclose(values(found, "ssim"), wanted, atol=1e-6)
    assert found.means["ssim", "TISD"].value == pytest.approx(np.mean(wanted[:3]), abs=1e-6)
    assert found.means["ssim", "TISD"].n == 12  # pairs
    assert set(found.scores["metric"]) == {"ssim"}


def test_reconstruction_editability_and_distances_are_those_of_the_encoder(score):
    found = score(clip="small-clip", word=WORD)
    clip = open_clip_folder("small-clip")
    real, made = (clip.embed_images(files).vectors for files in (found.real, found.made))
    texts = clip.embed_texts([" ".join(p.replace(WORD, "").split()) for _, p in ASKED]).vectors

    def cosine(a, b):
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    wanted = [np.mean([cosine(one, other) for other in real]) for one in made]
    np.testing.assert_allclose(values(found, "reconstruction"), wanted, atol=1e-5)
    assert found.means["reconstruction", "edit"].value == pytest.approx(
        np.mean(wanted[3:]), abs=1e-5
    )
    halves = [cosine(real[i], real[j]) for i in range(4) for j in range(i)]
    assert found.means["reconstruction", "painter"].value == pytest.approx(
        np.mean(halves), abs=1e-5
    )

    obeyed = [cosine(one, text) for one, text in zip(made, texts, strict=True)]
    np.testing.assert_allclose(values(found, "editability"), obeyed, atol=1e-5)
    # each prompt once: two of the four pictures share theirs
    by_prompt = np.mean([obeyed[3], np.mean(obeyed[4:6]), obeyed[6]])
    assert found.means["editability", "edit"].value == pytest.approx(by_prompt, abs=1e-5)
    assert found.means["editability", "TISD"].n == 3

    assert found.means["fid", "TISD"].value == pytest.approx(frechet_distance(made[:3], real))
    assert found.means["kid", "edit"].n == 4
    assert ("fid", found.ids[0]) not in found.told
    assert {one["metric"] for one in found.papers} >= {"fid", "kid", "editability", "ssim"}
    known = {one["passport_id"] for one in found.papers}
    assert {row.passport_id for row in found.means.values()} <= known


def test_without_a_learned_word_prompts_are_read_as_they_are(score):
    found = score(clip="small-clip")
    clip = open_clip_folder("small-clip")
    one, text = (
        clip.embed_images(found.made[:1]).vectors[0],
        clip.embed_texts([ASKED[0][1]]).vectors[0],
    )
    cosine = one @ text / np.linalg.norm(one) / np.linalg.norm(text)
    assert values(found, "editability")[0] == pytest.approx(cosine, abs=1e-5)


def test_the_reader_says_whose_hand_it_sees(score):
    found = score(hand="master")
    assert values(found, "painter_read") == [0, 1, 0, 1, 0, 1, 0]
    share = found.means["painter_read", "TISD"]
    assert (share.value, share.n) == (pytest.approx(1 / 3), 3)
    assert 0 < share.low < share.value < share.high < 1


def test_of_a_role_of_one_colour_it_is_said_that_none_is_his(score):
    """The same black file, twice."""
    found = score(hand="master", lost=[("black", "gone"), ("black", "gone")])
    share = found.means["painter_read", "gone"]
    assert (share.value, share.n) == (0.0, 2)
    assert share.high > 0.5
    assert ("ssim", "gone") not in found.means
    assert (found.scores["image_id"] == "black").sum() == 1


def test_pictures_of_one_colour_are_nobodys_and_are_counted(score):
    found = score(hand="master", lost=[("black0", "TISD"), ("black1", "TISD")])
    share = found.means["painter_read", "TISD"]
    assert (share.value, share.n, share.left_out) == (pytest.approx(1 / 5), 5, 0)
    assert found.told["painter_read", "black0"] == 0
    rows = found.scores[found.scores["image_id"] == "black0"]
    assert rows["status"].tolist() == ["the picture is of one colour"]
    assert found.means["ssim", "TISD"].left_out == 2
    assert found.means["ssim", "edit"].left_out == 0


def test_an_encoder_that_is_not_there_is_refused_before_any_work(score, tmp_path):
    with pytest.raises(BadInput, match="there is no encoder 'nowhere'"):
        score(clip="nowhere")
    assert not (tmp_path / "scratch").exists()


def test_the_learned_word_and_the_one_it_begins_with_are_compared_with_the_same_texts(score):
    """The same pictures, asked for by either word: no difference is left."""
    learned = score(clip="small-clip", word=WORD)
    known = score(said="cezanne", clip="small-clip", word="cezanne")
    assert values(known, "editability") == values(learned, "editability")
    with_it = score(said="cezanne", clip="small-clip")
    assert values(with_it, "editability") != values(learned, "editability")


def test_the_paper_s_reading_of_editability_is_kept_beside_the_published_code_s(score):
    found = score(clip="small-clip", word=WORD)
    clip = open_clip_folder("small-clip")
    made = clip.embed_images(found.made).vectors[:3]
    text = clip.embed_texts(["painting in the style of"]).vectors[0]
    mean = (made / np.linalg.norm(made, axis=1, keepdims=True)).mean(axis=0)
    cosine = mean @ text / np.linalg.norm(mean) / np.linalg.norm(text)
    rows = found.table[found.table["protocol"] == "cosine of mean"].set_index("role")
    assert rows.loc["TISD", "value"] == pytest.approx(cosine, abs=1e-5)
    assert rows.loc["edit", "n"] == 3  # prompts


def test_without_the_encoder_its_measures_have_no_data_and_the_others_are_taken(score):
    found = score(clip="clip-vit-b-32", lacking="not fetched: no connection", hand="master")
    assert np.isfinite(values(found, "ssim")).all()
    assert found.means["painter_read", "TISD"].n == 3
    lost = found.scores[found.scores["metric"].isin(["reconstruction", "editability"])]
    assert len(lost) == 2 * 7
    assert set(lost["status"]) == {"not fetched: no connection"}
    assert lost["value"].isna().all()
    for metric in ("reconstruction", "editability", "fid", "kid"):
        mean = found.means[metric, "TISD"]
        assert (mean.n, mean.left_out) == (0, 3)
        assert pd.isna(mean.value)
    assert found.summary["no_data"] == "not fetched: no connection"


def test_the_reader_is_asked_about_each_of_the_painter_s_own_sets(score):
    own = score(hand="master").table
    row = own[(own["role"] == "painter") & (own["part"] == "NEW")].iloc[0]
    # noise between 0 and 200 is dark
    assert (row["metric"], row["value"], row["n"]) == ("painter_read", 1.0, 2)


def test_nothing_is_measured_twice_under_one_name(score):
    found = score(clip="small-clip", hand="master", word=WORD)
    rows = found.scores
    assert not rows.duplicated(["metric", "image_id"]).any()
    assert found.summary["painted"] == 4


def test_beside_gray_originals_what_was_made_is_gray_too(tmp_path):
    from PIL import Image

    levels = small_sets.noise(1, SIDE)
    tinted = np.stack([levels, levels, np.minimum(levels, 254) + 1], axis=2)
    files = [tmp_path / "gray.png", tmp_path / "tinted.png", tmp_path / "colour.png"]
    coloured = np.stack([small_sets.noise(n, SIDE) for n in range(3)], axis=2)
    for file, pixels in zip(files, (levels, tinted, coloured), strict=True):
        Image.fromarray(pixels).save(file)
    colour = Preparation(size=SIDE, color="color")
    assert painter._as_gray_as(files[:2], colour).color == "gray"
    assert painter._as_gray_as(files, colour) == colour
