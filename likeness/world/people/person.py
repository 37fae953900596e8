"""Draw one person, and say where their face, hands and seat are."""

from dataclasses import dataclass

import numpy as np

from likeness.world.canvas import Canvas, Pen
from likeness.world.description import Person
from likeness.world.people.ageing import Look, draw_chance, look_of
from likeness.world.people.body import (
    Frame,
    draw_arms,
    draw_legs,
    draw_neckline,
    draw_scarf,
    draw_torso,
    frame_of,
)
from likeness.world.people.features import draw_brows, draw_eyes, draw_mouth, draw_nose
from likeness.world.people.hair import (
    draw_beard,
    draw_hair,
    draw_hair_behind,
    draw_hair_from_behind,
)
from likeness.world.people.head import (
    draw_back,
    draw_near_ear,
    draw_neck,
    draw_relief,
    draw_skull,
    draw_years,
    face_outline,
)
from likeness.world.people.headgear import (
    BROW_BAND,
    covers_forehead,
    draw_cover,
    draw_earrings,
    draw_glasses,
    draw_globe_behind,
    draw_headgear,
)
from likeness.world.people.uniforms import draw_uniform

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """Where the parts of a drawn person are, in fractions of the picture's side."""

    face: Box | None  # left, top, right, bottom of the bare face inside the picture
    eyes: tuple[Point, Point] | None  # the left one in the picture first
    hand: Point
    mouth: Point
    seat: Point
    unit: float  # height of the head


def draw_person(
    canvas: Canvas, person: Person, owner: int, rng: np.random.Generator, riding: bool = False
) -> Figure:
    """One person, from back to front; ``riding`` bends the legs of a whole figure."""
    look = look_of(person, draw_chance(rng))
    frame = frame_of(look)
    body, unit = _placed(canvas, person, look, owner)
    head = body.at(0, 0, turn=look.chance.tilt)
    if person.framing != "portrait":
        draw_legs(body, look, frame, riding)
    draw_torso(body, look, frame)
    if person.role == "astronaut":
        draw_globe_behind(head, look)
    elif person.hidden != "away":
        draw_hair_behind(head, look)
    draw_neck(body, look)
    _draw_clothes(body, look, frame)
    draw_arms(body, look, frame)
    if person.hidden == "away":
        _draw_from_behind(head, look)
    else:
        _draw_face(head, look)
    return _figure(body, head, look, frame, unit)


def _placed(canvas: Canvas, person: Person, look: Look, owner: int) -> tuple[Pen, float]:
    spot = person.spot
    unit, y = spot.size, spot.y
    if person.framing == "full":
        unit = spot.size / look.heads
        y = spot.y - spot.size / 2 + unit / 2
    mirror = person.facing == "right"
    return canvas.pen(owner).at(spot.x, y, unit, mirror=mirror), unit


def _draw_clothes(body: Pen, look: Look, frame: Frame) -> None:
    if look.person.role is not None:
        draw_uniform(body, look, frame)
    elif look.person.hidden != "away":
        draw_neckline(body, look, frame)
    if look.person.scarf:
        draw_scarf(body, look, frame)


def _draw_from_behind(head: Pen, look: Look) -> None:
    draw_back(head, look)
    if look.person.role != "astronaut":
        draw_hair_from_behind(head, look)
    draw_headgear(head, look)


def _draw_face(head: Pen, look: Look) -> None:
    person = look.person
    draw_skull(head, look)
    draw_relief(head, look)
    draw_years(head, look)
    draw_beard(head, look)
    draw_eyes(head, look)
    draw_brows(head, look)
    draw_mouth(head, look)
    draw_nose(head, look)
    if person.role != "astronaut":
        draw_hair(head, look)
    if person.hair_length != "long" and person.role != "pilot":
        draw_near_ear(head, look)
    draw_earrings(head, look)
    if person.glasses:
        draw_glasses(head, look)
    if person.hidden == "covered":
        draw_cover(head, look)
    draw_headgear(head, look)


def _figure(body: Pen, head: Pen, look: Look, frame: Frame, unit: float) -> Figure:
    x, y = frame.hand
    hand = _point(body, x * look.chance.arm, y)
    if look.person.framing != "full":
        hand = (hand[0], min(hand[1], 0.86))
    mouth_x = -0.6 * look.width - 0.06 if look.turned else look.across(0.0)
    return Figure(
        face=_face(head, look),
        eyes=_eyes(head, look),
        hand=hand,
        mouth=_point(head, mouth_x, look.mouth_y),
        seat=_point(body, 0.0, frame.crotch),
        unit=unit,
    )


def _point(pen: Pen, x: float, y: float) -> Point:
    px, py = pen.place([[x, y]])[0].tolist()
    return px, py


def _face(head: Pen, look: Look) -> Box | None:
    if look.person.hidden != "no":
        return None
    top = -0.42 if look.person.hair_length == "bald" else max(look.hair_y, -0.42)
    top = max(top, BROW_BAND) if covers_forehead(look) else top
    outline = face_outline(look)
    places = head.place(outline[outline[:, 1] >= top])
    left, high = np.clip(places.min(0), 0, 1).tolist()
    right, low = np.clip(places.max(0), 0, 1).tolist()
    return (left, high, right, low) if right > left and low > high else None


def _eyes(head: Pen, look: Look) -> tuple[Point, Point] | None:
    if look.person.hidden != "no":
        return None
    one, two = sorted(_point(head, look.across(u * look.eye_at), look.eye_y) for u in (-1, 1))
    return one, two
