"""The album of a life: as messy as asked for, with a truth that holds, the same every time."""

import csv
import hashlib

import numpy as np
import pytest
from PIL import Image

from likeness.images import image_set
from likeness.images.decode import Limits, decode
from likeness.world import album
from likeness.world.album import AlbumParams, person_of, write_album
from likeness.world.people.identities import identity
from likeness.world.sample import base_identity, held_out_in

SMALL = AlbumParams(photos=40, held_out=5)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("album")
    return folder, {row["file"]: row for row in write_album(SMALL, folder)}


def rows_of(file):
    with file.open(newline="", encoding="utf-8") as text:
        return {row["file"]: row for row in csv.DictReader(text)}


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_seed_writes_the_same_bytes_and_another_one_other_photos(written, tmp_path):
    folder, _ = written
    write_album(SMALL, tmp_path / "again")
    assert digests(tmp_path / "again") == digests(folder)
    write_album(SMALL.model_copy(update={"seed": 1}), tmp_path / "other")
    same = set(digests(tmp_path / "other").values()) & set(digests(folder).values())
    assert same <= {hashlib.sha256(data).hexdigest() for data in album.ODD_FILES.values()}


def test_the_truth_names_every_file_of_the_album_and_the_metadata_lack_just_one_photo(written):
    folder, truth = written
    files = {name for name in digests(folder / "files") if name != "metadata.csv"}
    assert set(truth) == set(rows_of(folder / "truth.csv")) == files
    noted = rows_of(folder / "files/metadata.csv")
    photos = {name for name, row in truth.items() if row["age"] is not None}
    assert len(photos - set(noted)) == 1
    assert set(noted) < photos
    assert all(float(row["age"]) == truth[name]["age"] for name, row in noted.items())
    assert noted[next(iter(noted))].keys() == {"file", "age"}


def test_one_person_two_strangers_and_nobody_the_base_model_knows(written):
    _, truth = written
    people = [row["person"] for row in truth.values() if row["person"]]
    me = person_of(0)
    others = [key for key in people if key != me.key]
    assert me == identity("unseen_by_base", 0)
    assert len(set(others)) == len(others) == 2
    assert people.count(me.key) == 42  # with both duplicates
    known = {base_identity(k).key for k in range(320)}
    assert not known & set(people)


def test_ages_cover_the_years_a_fifth_of_them_childhood(written):
    _, truth = written
    ages = [
        r["age"] for r in truth.values() if r["kind"] in album.SHARES and "DSC" not in r["file"]
    ]
    assert len(ages) == 40
    assert sum(age < 15 for age in ages) == 8
    assert 0 <= min(ages) < 3
    assert 34 < max(ages) <= 36


def test_every_kind_is_there_in_its_share():
    kinds = [shot.kind for shot in album._life(AlbumParams(photos=200))]
    assert {kind: kinds.count(kind) / 200 for kind in album.SHARES} == album.SHARES


def test_descriptions_show_what_the_kind_says_and_no_held_out_combination():
    for shot in album._life(AlbumParams(photos=200)):
        person = shot.person
        assert shot.description.person is person
        assert (person.facing != "front") == (shot.kind == "turned")
        assert (person.hidden != "no") == (shot.kind in ("away", "covered"))
        assert shot.description.blurred == (shot.kind == "blurred")
        assert (shot.description.landscape.light == "night") == (shot.kind == "dark")
        assert not held_out_in(shot.description)


def test_photos_decode_upright_at_the_shape_they_were_taken_in(written):
    folder, _ = written
    shots = {shot.file: shot for shot in album._life(SMALL)}
    modes = set()
    for file, shot in shots.items():
        with Image.open(folder / "files" / file) as raw:
            modes.add((raw.format, raw.mode))
        upright = decode(folder / "files" / file, Limits())
        short = shot.side - 2 * round(shot.side / 8)
        expected = {"square": (shot.side, shot.side), "wide": (shot.side, short)}
        assert upright.size == expected.get(shot.shape, (short, shot.side))
        if shot.file.endswith(".png"):
            assert (np.asarray(upright) == np.asarray(album._photo(shot))).all()
    assert {("JPEG", "RGB"), ("PNG", "RGB"), ("TIFF", "I;16")} <= modes


def test_faces_that_should_be_seen_are_in_the_centre_square_and_large_enough():
    checked = 0
    for shot in album._life(AlbumParams(photos=60, seed=2)):
        drawn = album.draw(shot.description, shot.side)
        if shot.kind in ("away", "covered"):
            assert drawn.face is None
            continue
        left, top, right, bottom = (shot.side * edge for edge in drawn.face)
        if shot.kind == "far":
            assert bottom - top < 8
            continue
        cut = 0 if shot.shape == "square" else shot.side / 8
        assert min(left, top) > cut
        assert max(right, bottom) < shot.side - cut
        assert bottom - top >= 8
        checked += 1
    assert checked > 40


def test_the_copies_are_one_exact_and_one_smaller(written):
    folder, truth = written
    exact = next(name for name, row in truth.items() if row["kind"] == "exact duplicate")
    smaller = next(name for name, row in truth.items() if row["kind"] == "near duplicate")
    bytes_of = digests(folder / "files")
    original = [n for n, d in bytes_of.items() if d == bytes_of[exact] and n != exact]
    assert len(original) == 1
    assert truth[original[0]]["age"] == truth[exact]["age"] == truth[smaller]["age"]
    large, small = (decode(folder / "files" / n, Limits()) for n in (exact, smaller))
    assert small.width == round(0.8 * large.width)
    again = np.asarray(small.resize(large.size)).astype(float)
    assert np.abs(again - np.asarray(large)).mean() < 8


def test_the_held_out_photos_are_an_image_set_over_all_ages_apart_from_the_album(written):
    folder, _ = written
    table = image_set.read(folder / "held_out")
    assert table["age"].tolist() == pytest.approx([0, 22.5, 45, 67.5, 90])
    assert (table["status"] == "accepted").all()
    for row in table.itertuples():
        data = (folder / "held_out" / row.file).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row.sha256
        assert row.sha256.startswith(row.image_id)
    assert not set(table["sha256"]) & set(digests(folder / "files").values())
