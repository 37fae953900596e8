"""Draw a description: the picture, whose every pixel is, and where everything can be seen."""

from dataclasses import dataclass, replace

import numpy as np

from likeness.world.canvas import Array, Canvas
from likeness.world.description import Description, Person, Spot, Thing
from likeness.world.people.person import Figure, draw_person

Box = tuple[float, float, float, float]  # left, top, right, bottom, fractions of the side
PERSON = 1  # owner numbers: 0 the background, 1 the person, 2 and up the things in their order
FIRST_THING = 2
_LEAST_SEEN = 0.0015  # of the picture's area: less of a thing than this is nothing


@dataclass(frozen=True)
class Drawn:
    """A picture and the truth about it."""

    picture: Array  # side x side x 3 uint8
    owners: Array  # side x side uint8
    face: Box | None  # of the visible face
    eyes: tuple[tuple[float, float], tuple[float, float]] | None
    person: Box | None  # what can be seen of the person
    things: tuple[Box | None, ...]

    @property
    def foreground(self) -> Array:
        """Side x side bool: person and things."""
        return self.owners > 0


def draw(description: Description, side: int) -> Drawn:
    """The picture at side x side px; another side gives the same picture at another size."""
    streams = np.random.default_rng(description.seed).spawn(4)
    if description.kind == "landscape" and description.painter is not None:
        return _painting(description, side, streams[0])
    canvas = Canvas(side)
    _background(canvas, description, streams[0])
    figure = _subjects(canvas, description, streams[1], streams[2])
    owners = canvas.owners()
    seen = [_box(owners == FIRST_THING + i) for i in range(len(description.things))]
    return Drawn(
        _look(canvas.picture(), description, streams[3]),
        owners,
        figure.face if figure else None,
        figure.eyes if figure else None,
        _box(owners == PERSON) if figure else None,
        tuple(seen),
    )


def _background(canvas: Canvas, description: Description, rng: np.random.Generator) -> None:
    from likeness.world.nature.places import draw_landscape

    draw_landscape(canvas, description.landscape, rng)


def _painting(description: Description, side: int, rng: np.random.Generator) -> Drawn:
    from likeness.world.painters import paint_landscape

    kind, painter = description.landscape.painted_kind, description.painter
    picture = paint_landscape(painter, kind, side, rng)  # type: ignore[arg-type]
    return Drawn(picture, np.zeros((side, side), np.uint8), None, None, None, ())


def _look(picture: Array, description: Description, rng: np.random.Generator) -> Array:
    from likeness.world.painters import hand_of, repaint
    from likeness.world.styles import finish

    if description.painter is not None:
        return repaint(picture, hand_of(description.painter), rng)
    it = description
    return finish(picture, it.style, it.landscape.light, it.colourful, it.blurred, rng)


def _subjects(
    canvas: Canvas, description: Description, one: np.random.Generator, two: np.random.Generator
) -> Figure | None:
    """Draw person and things in the order in which they hide each other."""
    from likeness.world.things.thing import draw_thing

    person, things, relation = description.person, description.things, description.relation
    if person is None:
        for number, thing in reversed(list(enumerate(_stacked(description)))):
            draw_thing(canvas, thing, FIRST_THING + number, two)
        return None
    if relation == "riding":
        draw_thing(canvas, things[0], FIRST_THING, two)
        return _rider(canvas, person, things[0], one)
    if relation in ("next to", "fighting"):
        draw_thing(canvas, things[0], FIRST_THING, two)
        return draw_person(canvas, person, PERSON, one)
    figure = draw_person(canvas, person, PERSON, one)
    for number, thing in enumerate(_held(figure, person, things, relation)):
        draw_thing(canvas, thing, FIRST_THING + number, two)
    return figure


def _stacked(description: Description) -> tuple[Thing, ...]:
    """Things as they are drawn: what lies ON another rests on its top."""
    from likeness.world.things.thing import anchor

    if description.relation != "on":
        return description.things
    above, below = description.things
    x, y = anchor(below)["top"]
    size = above.spot.size
    return replace(above, spot=Spot(x, y - size / 2 + 0.02, size)), below


def _rider(canvas: Canvas, person: Person, mount: Thing, rng: np.random.Generator) -> Figure:
    """The person with the seat where the mount carries it."""
    from likeness.world.things.thing import anchor

    # Where the seat is of a figure at this spot is only known once it is drawn: on a tiny canvas.
    state = rng.bit_generator.state
    trial = draw_person(Canvas(8), person, PERSON, rng, riding=True)
    rng.bit_generator.state = state
    back = anchor(mount)["back"]
    x = person.spot.x + back[0] - trial.seat[0]
    y = person.spot.y + back[1] - trial.seat[1]
    return draw_person(
        canvas, replace(person, spot=Spot(x, y, person.spot.size)), PERSON, rng, riding=True
    )


def _held(
    figure: Figure, person: Person, things: tuple[Thing, ...], relation: str | None
) -> list[Thing]:
    """The things with the spots that the body gives them."""
    if relation == "juggling":
        x = (figure.eyes[0][0] + figure.eyes[1][0]) / 2 if figure.eyes else person.spot.x
        top = person.spot.y - 0.62 * person.spot.size
        reach = 0.75 * person.spot.size
        arcs = ((-reach, 0.25), (0.0, -0.05), (reach, 0.25))
        size = things[0].spot.size * 0.62
        return [
            replace(t, spot=Spot(x + dx, max(top + dy, size / 2), size))
            for t, (dx, dy) in zip(things, arcs, strict=False)
        ]
    if relation == "eating":
        x, y = figure.mouth
        size = things[0].spot.size
        return [replace(things[0], spot=Spot(x, y + 0.42 * size, size))]
    x, y = figure.hand
    grown = 1.6 if relation == "playing" else 1.0
    return [replace(t, spot=Spot(x, y, t.spot.size * grown)) for t in things]


def _box(mask: Array) -> Box | None:
    """The box around the pixels of a mask; none where there is too little to see."""
    if mask.mean() < _LEAST_SEEN:
        return None
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    side = mask.shape[0]
    return (
        float(columns[0] / side),
        float(rows[0] / side),
        float((columns[-1] + 1) / side),
        float((rows[-1] + 1) / side),
    )
