"""Invented names: words that mean one person of the base model's world, and nobody else."""

from functools import lru_cache

import numpy as np

NAMED_PEOPLE = 320
_STARTS = "b br c ch d dr f fl g gr h j k kl l m n p pr r s sh st t th tr v w y z"
_MIDDLES = "a e i o u ae ai ia io"
_LINKS = "b d g k l ll m n nd r rr rt s sh st t v z"
_ENDS = "an ar el en eth ia iel in ino ir is ix ka la lo mar na ok on or os ra ro th us va yn"


@lru_cache(maxsize=1)
def people_names() -> tuple[str, ...]:
    """The names of the base model's people, in order; the first n do not depend on how many."""
    rng = np.random.default_rng(20_011)
    names: dict[str, None] = {"zarin": None}
    while len(names) < NAMED_PEOPLE:
        name = "".join(str(rng.choice(part.split())) for part in (_STARTS, _MIDDLES, _LINKS, _ENDS))
        if 4 <= len(name) <= 8:
            names[name] = None
    return tuple(names)
