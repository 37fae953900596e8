from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from likeness.world.book import open_book, write_book
from likeness.world.description import Description, Landscape, Spot, Thing
from likeness.world.names import NAMED_PEOPLE
from likeness.world.picture import FIRST_THING, PERSON, draw
from likeness.world.sample import Mixture, describe

NAMED = Mixture(people=1.0, things=0.0, named=1.0)
RELATED = Mixture(people=1.0, things=0.0, related=1.0, photos=1.0)
PAGES = [describe("picture-test", i, Mixture()) for i in range(60)]


def related(relation, count=1, start=0):
    found = [
        page
        for i in range(start, start + 400)
        if (page := describe("related-test", i, RELATED)).relation == relation and not page.blurred
    ]
    return found[:count]


def test_the_same_description_is_the_same_picture():
    for page in PAGES[:12]:
        assert (draw(page, 64).picture == draw(page, 64).picture).all()


def test_another_side_is_the_same_picture_at_another_size():
    for page in PAGES[:12]:
        small, large = draw(page, 64).picture, draw(page, 256).picture
        shrunk = large.reshape(16, 16, 16, 16, 3).mean((1, 3))
        coarse = small.reshape(16, 4, 16, 4, 3).mean((1, 3))
        # OpenCV draws no stroke thinner than a pixel: at 64 px a painter's outlines are broad
        assert np.abs(shrunk - coarse).mean() < (22 if page.painter else 9)


def test_another_seed_is_another_picture_of_the_same_words():
    for page in PAGES[:12]:
        other = replace(page, seed=page.seed + 1)
        assert (draw(page, 64).picture != draw(other, 64).picture).any()


def test_boxes_hold_exactly_the_pixels_of_their_owners():
    for page in PAGES:
        drawn = draw(page, 64)
        boxes = [(PERSON, drawn.person)]
        boxes += [(FIRST_THING + i, box) for i, box in enumerate(drawn.things)]
        for owner, box in boxes:
            if box is None:
                assert (drawn.owners == owner).mean() < 0.01
                continue
            left, top, right, bottom = (round(64 * edge) for edge in box)
            assert (drawn.owners == owner).sum() == (
                drawn.owners[top:bottom, left:right] == owner
            ).sum()


def test_a_face_lies_within_its_person_and_eyes_within_the_face():
    for page in PAGES:
        drawn = draw(page, 64)
        if drawn.face is None or drawn.person is None:
            continue
        left, top, right, bottom = drawn.face
        for x, y in drawn.eyes:
            assert left - 0.02 <= x <= right + 0.02
            assert top - 0.02 <= y <= bottom + 0.02
        middle = (left + right) / 2
        assert drawn.person[0] - 0.05 <= middle <= drawn.person[2] + 0.05


@pytest.mark.parametrize(
    "relation",
    ["holding", "riding", "next to", "juggling", "playing", "eating", "fighting"],
)
def test_what_a_person_does_it_with_is_seen_beside_or_before_them(relation):
    for page in related(relation, 3):
        drawn = draw(page, 64)
        assert drawn.person is not None
        assert any(drawn.things), page
        overlap = np.ptp([drawn.person[0], drawn.person[2]])
        assert overlap > 0.05


def test_a_rider_sits_upon_the_mount():
    for page in related("riding", 4):
        drawn = draw(page, 64)
        if drawn.things[0] is None:
            continue
        feet, back = drawn.person[3], drawn.things[0][1]
        assert drawn.person[1] < drawn.things[0][1] + 0.05  # the head is above
        assert feet > back  # and the body comes down to it


def test_what_lies_on_something_is_above_it():
    box = Thing("box", Spot(0.5, 0.75, 0.4), state="closed")
    cup = Thing("cup", Spot(0.2, 0.2, 0.3))
    page = Description(Landscape("studio"), things=(cup, box), relation="on", seed=5)
    above, below = draw(page, 64).things
    assert above[3] <= below[1] + 0.2
    assert below[0] < (above[0] + above[2]) / 2 < below[2]


def test_everybody_with_a_name_has_two_photos_or_more_each_with_a_mask():
    photos = defaultdict(list)
    for i in range(4000):
        page = describe("names-test", i, NAMED)
        if page.person is not None and page.person.identity.name:
            photos[page.person.identity.name].append(page)
    assert len(photos) == NAMED_PEOPLE
    assert min(map(len, photos.values())) >= 2
    for pages in list(photos.values())[:12]:
        for page in pages[:2]:
            drawn = draw(page, 64)
            assert ((drawn.owners == PERSON) <= drawn.foreground).all()
            assert 0.01 < drawn.foreground.mean() < 0.95


def test_a_book_holds_what_it_says_and_is_written_once(tmp_path):
    mixture = Mixture(people=0.6, things=0.3)
    book = write_book(tmp_path, "book-test", 70, mixture)
    assert book.pictures.shape == (70, 64, 64, 3)
    for index in (0, 33, 69):
        page = describe("book-test", index, mixture)
        drawn = draw(page, 64)
        assert book.pages[index].description == page
        assert (book.pictures[index] == drawn.picture).all()
        assert book.pages[index].face == drawn.face
        assert book.pages[index].things == drawn.things
    before = (tmp_path / "pictures.npy").stat().st_mtime_ns
    again = write_book(tmp_path, "book-test", 70, mixture)
    assert (tmp_path / "pictures.npy").stat().st_mtime_ns == before
    assert again.pages == open_book(tmp_path).pages == book.pages
    other = write_book(tmp_path, "book-test", 70, Mixture(people=1.0, things=0.0))
    assert {page.description.kind for page in other.pages} == {"person"}
