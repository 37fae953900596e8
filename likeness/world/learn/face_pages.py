"""The faces of a book, as the training of ``small-face`` and its measures read them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from likeness.world.description import TRAITS

if TYPE_CHECKING:
    from likeness.world.book import Book

COUNTED = 8.0  # height of a face in pixels from which it must be found
CLEAR = 16.0  # height of a face in pixels from which a photo is good enough to tell people apart


@dataclass(frozen=True)
class Faces:
    """The faces of a book: N rows, NaN where a picture has none."""

    boxes: np.ndarray  # N x 4 float32, fractions of the side
    eyes: np.ndarray  # N x 4 float32, fractions of the side
    who: np.ndarray  # N identity keys, "" where there is no person
    traits: np.ndarray  # N x 19 float32 in -1..1: TRAITS and the sex
    clear: np.ndarray  # N bool: a sharp photo with a face of at least CLEAR px


def faces_of(book: "Book") -> Faces:
    """Boxes, eyes and identities of all pages."""
    boxes = np.full((len(book.pages), 4), np.nan, np.float32)
    eyes = np.full((len(book.pages), 4), np.nan, np.float32)
    traits = np.zeros((len(book.pages), len(TRAITS) + 1), np.float32)
    clear = np.zeros(len(book.pages), bool)
    who = []
    for i, page in enumerate(book.pages):
        it = page.description
        who.append(it.person.identity.key if it.person else "")
        if page.face is not None and page.eyes is not None and it.person is not None:
            boxes[i] = page.face
            eyes[i] = (*page.eyes[0], *page.eyes[1])
            identity = it.person.identity
            traits[i] = (*identity.traits, 1.0 if identity.sex == "male" else -1.0)
            photo = it.style == "photo" and it.painter is None and not it.blurred
            height = (page.face[3] - page.face[1]) * book.pictures.shape[1]
            clear[i] = photo and height >= CLEAR
    return Faces(boxes, eyes, np.array(who), traits, clear)
