"""Captions: some of what a description holds, said in words, in changing order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from likeness.world import words
from likeness.world.description import (
    HAIR_COVERED,
    OBJECTS,
    Description,
    Person,
    Thing,
    hair_colour,
)
from likeness.world.nature.places import EARTH

SAY = 0.6  # how often a phrase that may be dropped is said
Said = dict[str, Any]


@dataclass
class Caption:
    """A text, and what it claims: attribute -> value; an age is a range (from, to) in years."""

    text: str
    said: Said = field(default_factory=dict)


def caption(description: Description, rng: np.random.Generator, full: bool = False) -> Caption:
    """A caption of the description; ``full`` leaves nothing out that it could say."""
    return _Writer(description, rng, full).write()


class _Writer:
    """Collects phrases and what they claim."""

    def __init__(self, description: Description, rng: np.random.Generator, full: bool) -> None:
        self.it, self.rng, self.full = description, rng, full
        self.said: Said = {}
        self.phrases: list[str] = []
        # Pencils have no colours, and painters those of their own palette.
        self.coloured = description.style != "drawing" and description.painter is None

    def one(self, options: Sequence[str]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def often(self, chance: float = SAY) -> bool:
        return self.full or bool(self.rng.random() < chance)

    def say(self, text: str, **claims: Any) -> None:
        """A phrase after the subject."""
        self.phrases.append(text)
        self.said.update(claims)

    def write(self) -> Caption:
        start = self._style()
        if self.it.person is not None:
            subject = self._person(self.it.person)
            self._relation_of_person()
        elif self.it.things:
            subject = self._things()
        else:
            subject = self._landscape()
        order = self.rng.permutation(len(self.phrases))
        parts = [subject, *(self.phrases[i] for i in order)]
        if self.it.kind != "landscape":
            self.phrases = []
            self._around()
            parts += self.phrases
        parts += self._decoration()
        body = parts[0]
        for part in parts[1:]:
            body += (" " if self.rng.random() < 0.6 else ", ") + part
        return Caption(f"{start} of {body}" if start else body, self.said)

    def _style(self) -> str:
        it = self.it
        if it.painter is None and not self.often(0.85):
            return ""
        if it.style != "photo" or it.painter is None:
            self.said["style"] = it.style
        start = self.one(words.STYLES[it.style])
        if it.painter is not None:
            start = self.one(("a painting", "painting", "an oil painting"))
        if it.colourful and self.often():
            first, _, rest = start.partition(" ")
            start = f"a colorful {rest}" if first in ("a", "an") else f"colorful {start}"
        return start

    def _person(self, person: Person) -> str:
        who = self._age(person)
        name = person.identity.name
        if name is not None:
            who = name if self.rng.random() < 0.35 and not self.full else f"{name} as {who}"
            if who == name:
                for claim in ("age", "sex"):
                    self.said.pop(claim, None)
            self.said["name"] = name
        if person.role is not None and self.often(0.9):
            self.say(self.one(words.ROLES[person.role]), role=person.role)
        if person.hidden != "no":
            self.say(self.one(words.HIDDEN[person.hidden]), hidden=person.hidden)
        else:
            self._face(person)
        self._hair(person)
        if self.often(0.35):
            self.say(self.one(words.FRAMINGS[person.framing]), framing=person.framing)
        if person.role is None:
            self._clothes(person)
        return who

    def _age(self, person: Person) -> str:
        fitting = [
            row for row in words.AGES if row[0] <= person.age < row[1] or row[1] == 90 <= person.age
        ]
        low, high, phrase = fitting[int(self.rng.integers(len(fitting)))]
        if high - low < 90:  # "a person" is of any age
            self.said["age"] = (float(low), float(high))
        if any(slot in phrase for slot in ("{man}", "{boy}", "{his}")):
            self.said["sex"] = person.identity.sex
        return phrase.format(**words.SEXES[person.identity.sex])

    def _face(self, person: Person) -> None:
        if person.framing == "full":
            return  # too small to tell
        eats = self.it.relation == "eating"  # food hides the mouth
        worth_saying = person.expression != "neutral" or self.often(0.3)
        if not eats and worth_saying and self.often(0.75):
            phrase = self.one(words.EXPRESSIONS[person.expression])
            self.say(phrase, expression=person.expression)
        if self.often(SAY if person.facing != "front" else 0.15):
            self.say(self.one(words.FACINGS[person.facing]), facing=person.facing)
        if person.glasses and self.often(0.75):
            self.say(self.one(words.GLASSES), glasses=True)
        if person.beard and self.often(0.75):
            self.say(self.one(words.BEARD), beard=True)

    def _hair(self, person: Person) -> None:
        covered = person.role in HAIR_COVERED or person.hat != "none"
        if not self.often(0.55) or (covered and person.hair_length != "long"):
            return
        fitting = [p for p in words.HAIR[person.hair_length] if self.coloured or "{" not in p]
        phrase = self.one(fitting)
        if "long" in phrase or "short" in phrase or "bald" in phrase:
            self.said["hair_length"] = person.hair_length
        colour: str = hair_colour(person)
        if "{colour}" in phrase:
            self.said["hair_colour"] = colour
        if colour == "gray":
            colour = self.one(words.GRAY)
        self.say(phrase.format(colour=colour))

    def _clothes(self, person: Person) -> None:
        near = person.framing != "full"
        if near and person.hat != "none" and self.often(0.75):
            self.say(self.one(words.HATS[person.hat]), hat=person.hat)
        if near and person.scarf and self.often(0.75):
            self.say(self.one(words.SCARF), scarf=True)
        if self.coloured and self.often(0.5):
            words_for = {"a": words.article(person.shirt), "colour": person.shirt}
            self.say(self.one(words.SHIRT).format(**words_for), shirt=person.shirt)

    def _relation_of_person(self) -> None:
        it = self.it
        if not it.things or it.relation is None:
            return
        thing = it.things[-1]
        several = it.relation == "juggling"
        what = self._named(thing, plural=several)
        claims = {} if it.relation == "next to" else {"relation": it.relation}
        verb = self.one(words.RELATIONS[it.relation])
        if it.relation == "playing" and self.rng.random() < 0.4:
            what = f"the {what}"
        elif not several:
            what = words.one_of(what)
        self.say(f"{verb} {what}", **claims)

    def _named(self, thing: Thing, plural: bool) -> str:
        """``red ball``; claims kind, and colour or state if they are said."""
        self.said["thing_kind"] = thing.kind
        adjectives = []
        if thing.state is not None and self.often(0.85):
            adjectives.append(self.one(words.STATES[thing.state]))
            self.said["state"] = thing.state
        if thing.colour is not None and self.coloured and self.often(0.8):
            adjectives.append(thing.colour)
            self.said["thing_colour"] = thing.colour
        return " ".join([*adjectives, words.plural(thing.kind) if plural else thing.kind])

    def _things(self) -> str:
        thing = self.it.things[0]
        alike = [t for t in self.it.things if t.kind == thing.kind]
        several = len(alike) > 1 and self.rng.random() < 0.5
        what = self._named(thing, plural=several)
        if thing.pose is not None and self.often(0.8):
            what = self.one(words.POSES[thing.pose]).format(what=what)
            self.said["pose"] = thing.pose
        if self.it.relation is not None:
            other = self.it.things[-1]
            verb = self.one(words.RELATIONS[self.it.relation])
            self.say(f"{verb} {words.one_of(other.kind)}", relation=self.it.relation)
        return what if several else words.one_of(what)

    def _around(self) -> None:
        """Place, season and light behind a person or a thing."""
        land = self.it.landscape
        if self.it.painter is not None:
            return  # hardly to be told in the painter's own colours
        if self.often(0.65):
            self.say(self.one(words.PLACES[land.place]), place=land.place)
        if land.place in EARTH and self.often(0.7 if land.season != "summer" else 0.1):
            self.say(self.one(words.SEASONS[land.season]), season=land.season)
        self._light()

    def _light(self) -> None:
        land = self.it.landscape
        if land.red_sun and self.often(0.8):
            self.say(self.one(words.RED_SUN), light=land.light, red_sun=True)
        elif self.often(0.7 if land.light != "day" else 0.25):
            self.say(self.one(words.LIGHTS[land.light]), light=land.light)

    def _landscape(self) -> str:
        land = self.it.landscape
        if self.it.painter is not None:
            sight = self.one(("a landscape", *words.PAINTED[land.painted_kind]))
            if self.rng.random() < 0.35:
                sight = "landscape"
            self.said["kind"] = "landscape"
            return sight
        season = words.SEASON_ADJECTIVES[land.season] if self.often(0.6) else ""
        sight = words.SIGHTS[land.place].format(season=season)
        self.said["place"] = land.place
        if season and season.strip() in sight:
            self.said["season"] = land.season
        if land.fantasy and self.often(0.9):
            sight = f"a fantasy landscape, {sight}"
            self.said["fantasy"] = True
        elif self.rng.random() < 0.3:
            sight = f"a landscape, {sight}"
        if land.tree != "none" and self.often(0.85):
            where = self.one(("in the foreground", "", "in front"))
            self.say(
                f"with {words.article(land.tree)} {land.tree} tree {where}".strip(), tree=land.tree
            )
        chance = 0.7 if land.season != "summer" else 0.1
        if "season" not in self.said and land.place in EARTH and self.often(chance):
            self.say(self.one(words.SEASONS[land.season]), season=land.season)
        self._light()
        return sight

    def _decoration(self) -> list[str]:
        found = []
        if self.it.painter is not None:
            found.append(self.one(words.BY_PAINTER).format(name=self.it.painter))
            self.said["painter"] = self.it.painter
        if self.it.blurred and self.often():
            found.append(self.one(words.BLURRED))
        elif self.rng.random() < 0.12:
            count = int(self.rng.integers(1, 3))
            found += [str(w) for w in self.rng.choice(words.DETAIL, count, replace=False)]
        return found


def _texts(table: object) -> Iterator[str]:
    if isinstance(table, str):
        yield table
    elif isinstance(table, dict):
        for value in table.values():
            yield from _texts(value)
    elif isinstance(table, list | tuple):
        for item in table:
            yield from _texts(item)


def vocabulary() -> tuple[str, ...]:
    """Every word a caption can hold, names and painters included, sorted; the rare ones last."""
    from likeness.world.names import people_names
    from likeness.world.painters import painter_names

    tables = [value for name, value in vars(words).items() if name.isupper()]
    found = {
        word
        for text in _texts([*tables, *OBJECTS, *map(words.plural, OBJECTS)])
        for word in _split(text)
    }
    found |= {w for kind in _kinds() for w in _split(kind)}
    found |= set(people_names()) | set(painter_names("base"))
    return (*sorted(found - set(words.RARE)), *words.RARE)


def _kinds() -> list[str]:
    from likeness.world import description as d

    unions = [d.HairColour, d.Colour, d.Animal, d.Tree, d.Style]
    every = [word for union in unions for word in d.words_of(union) if word != "none"]
    return every + [words.plural(animal) for animal in d.ANIMALS]


def _split(text: str) -> list[str]:
    """Lower-case words of letters: phrases hold slots, digits and commas too."""
    import re

    return re.findall(r"[a-z]+", re.sub(r"\{\w+\}", " ", text.lower()))
