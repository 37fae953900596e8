"""From the shoulders down: torso, arms, hands, legs; cut off by the picture's edge."""

from dataclasses import dataclass

import numpy as np

from likeness.world.canvas import RGB, Pen, darker, lighter, mix
from likeness.world.paint import PAINT
from likeness.world.people.ageing import Look
from likeness.world.people.curves import smooth
from likeness.world.people.palette import DARK, WHITE

SUIT: dict[str, RGB] = {
    "astronaut": (240, 242, 246),
    "doctor": (248, 250, 252),
    "chef": (250, 250, 250),
    "soldier": (98, 106, 58),
    "firefighter": (196, 40, 28),
    "policeman": (30, 44, 112),
    "pilot": (120, 72, 38),
    "king": (178, 16, 44),
}
LEGS: dict[str, RGB] = {
    "astronaut": (240, 242, 246),
    "doctor": (60, 150, 140),
    "chef": (60, 62, 70),
    "soldier": (84, 92, 50),
    "firefighter": (50, 44, 40),
    "policeman": (22, 30, 78),
    "pilot": (150, 128, 92),
    "king": (236, 226, 196),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a body bends, in units of the head's height below the head's middle."""

    shoulder: float  # height of the shoulders' line
    torso: float  # from there to the crotch
    legs: float  # from the crotch to the soles

    @property
    def crotch(self) -> float:
        """Its height."""
        return self.shoulder + self.torso

    @property
    def hand(self) -> tuple[float, float]:
        """Of the raised arm's side 1: what is held in front is here."""
        return 0.2, self.shoulder + 0.62 * self.torso


def frame_of(look: Look) -> Frame:
    """By age: children have short legs."""
    shoulder = 0.52 + look.neck_long
    rest = look.heads - 0.5 - shoulder
    torso = rest * float(np.interp(look.person.age, [0, 18], [0.56, 0.45]))
    return Frame(shoulder, torso, rest - torso)


def shirt_colour(look: Look) -> RGB:
    """Of the shirt or the uniform, with a small shade of its own."""
    role = look.person.role
    colour = SUIT[role] if role else PAINT[look.person.shirt]
    shade = look.chance.shade
    return darker(colour, 0.06 * shade) if shade > 0 else lighter(colour, -0.05 * shade)


def draw_torso(body: Pen, look: Look, frame: Frame) -> None:
    """Shoulders to hips; women's with a waist."""
    s, top, low = look.shoulders, frame.shoulder, frame.crotch
    n, t = look.neck, frame.torso
    waist = s * (0.7 - 0.14 * look.womanly)
    hip = s * (0.68 + 0.16 * look.womanly)
    colour = shirt_colour(look)
    outline = smooth(
        [
            [n * 0.9, top - 0.03],
            [0.72 * s, top + 0.07],
            [s, top + 0.24],
            [0.86 * s, top + 0.4 * t],
            [waist, top + 0.68 * t],
            [hip, low - 0.1 * t],
            [hip * 0.98, low + 0.04],
            [-hip * 0.98, low + 0.04],
            [-hip, low - 0.1 * t],
            [-waist, top + 0.68 * t],
            [-0.86 * s, top + 0.4 * t],
            [-s, top + 0.24],
            [-0.72 * s, top + 0.07],
            [-n * 0.9, top - 0.03],
        ]
    )
    body.polygon(outline, colour)
    side = -1 if look.chance.light > 0 else 1
    body.glaze(
        [
            [side * 0.45 * s, top + 0.1],
            [side * s, top + 0.24],
            [side * waist, top + 0.68 * t],
            [side * hip, low],
            [side * 0.5 * hip, low],
        ],
        darker(colour, 0.55),
        0.22,
    )


def draw_legs(body: Pen, look: Look, frame: Frame, riding: bool) -> None:
    """Trousers and shoes, or a skirt; astride with bent knees when riding."""
    role = look.person.role
    cloth = LEGS[role] if role else look.chance.trousers
    hip = look.shoulders * (0.66 + 0.16 * look.womanly)
    low, long = frame.crotch, frame.legs
    skirted = look.person.identity.sex == "female" and role is None
    for side in (-1, 1):
        x = side * 0.5 * hip
        if riding:
            path = [
                [x, low - 0.08],
                [side * (hip + 0.36), low + 0.26 * long],
                [side * (hip + 0.26), low + 0.76 * long],
            ]
        else:
            path = [[x, low - 0.1], [x * 1.06, low + 0.5 * long], [x * 1.1, low + long - 0.08]]
        leg = look.skin if skirted else cloth
        _limb(body, path, hip * (0.8 if not skirted else 0.5), leg)
        end = path[-1]
        body.ellipse(
            end[0] + side * 0.05, end[1] + 0.03, 0.2 * hip + 0.08, 0.09, darker(cloth, 0.6)
        )
    if not skirted:
        body.polygon(
            [
                [-hip, low - 0.14],
                [hip, low - 0.14],
                [hip * 0.95, low + 0.1],
                [0, low + 0.14],
                [-hip * 0.95, low + 0.1],
            ],
            cloth,
        )
        return
    wide, hem = (1.45, 0.42) if riding else (1.55, 0.55)
    skirt = mix(look.chance.trousers, shirt_colour(look), 0.55)
    body.polygon(
        [
            [-hip, low - 0.2],
            [hip, low - 0.2],
            [hip * wide, low + hem * long],
            [-hip * wide, low + hem * long],
        ],
        skirt,
    )
    body.glaze(
        [
            [hip * 0.2, low - 0.1],
            [hip, low - 0.1],
            [hip * wide, low + hem * long],
            [hip * 0.4, low + hem * long],
        ],
        DARK,
        0.22,
    )


def _limb(body: Pen, path: list[list[float]], width: float, colour: RGB) -> None:
    p = np.asarray(path)
    body.line(p, width, colour)
    body.ellipse(float(p[1, 0]), float(p[1, 1]), width * 0.5, width * 0.5, colour)
    body.glaze(
        np.vstack([p + np.array([width * 0.12, 0]), (p + np.array([width * 0.46, 0]))[::-1]]),
        darker(colour, 0.6),
        0.3,
    )


def draw_arms(body: Pen, look: Look, frame: Frame) -> None:
    """One hangs, the other is bent so that its hand is in front."""
    s, top, t = look.shoulders, frame.shoulder, frame.torso
    width = 0.34 * s
    sleeve = darker(shirt_colour(look), 0.08)
    bare = (196, 200, 210) if look.person.role == "astronaut" else look.skin
    raised = look.chance.arm
    for side in (-1.0, 1.0):
        shoulder = [side * (s - 0.42 * width), top + 0.26]
        if side == raised:
            x, y = frame.hand
            elbow = [side * (s + 0.02), top + 0.2 + 0.55 * t]
            wrist = [side * (x + 0.1), y + 0.03]
            hand = (side * x, y)
        else:
            elbow = [side * (s + 0.03), top + 0.2 + 0.42 * t]
            wrist = [side * (s + 0.05), top + 0.1 + 0.9 * t]
            hand = (wrist[0], wrist[1] + 0.08)
        body.ellipse(hand[0], hand[1], 0.48 * width, 0.52 * width, bare)
        _limb(body, [shoulder, elbow, wrist], width, sleeve)
        body.ellipse(shoulder[0], shoulder[1], width * 0.5, width * 0.5, sleeve)
        if look.person.role == "firefighter":
            body.line([[wrist[0] - 0.2 * width, wrist[1] - 0.2], wrist], width, (250, 224, 60))


def draw_neckline(body: Pen, look: Look, frame: Frame) -> None:
    """The edge of a plain shirt."""
    n, top = look.neck, frame.shoulder
    colour = shirt_colour(look)
    edge = darker(colour, 0.35) if sum(colour) > 200 else lighter(colour, 0.3)
    deep = 0.2 + 0.1 * look.womanly
    body.polygon(
        [[-n * 1.1, top - 0.02], [n * 1.1, top - 0.02], [0, top + deep]],
        mix(look.skin, darker(look.skin, 0.5), 0.25),
    )
    body.line([[-n * 1.15, top - 0.04], [0, top + deep], [n * 1.15, top - 0.04]], 0.045, edge)
    if not look.womanly and look.person.age > 2:
        body.line([[0, top + deep], [0, frame.crotch]], 0.028, edge)


def draw_scarf(body: Pen, look: Look, frame: Frame) -> None:
    """Striped, around the neck, one end hanging."""
    one, two = look.chance.scarf
    n, y = look.neck + 0.15, frame.shoulder - 0.02
    body.polygon([[0.05, y], [0.33, y], [0.36, y + 0.72], [0.1, y + 0.72]], one)
    for k in range(3):
        at = y + 0.2 + 0.2 * k
        body.box(0.06, at, 0.35, at + 0.1, two)
    body.polygon(
        smooth(
            [
                [-n, y - 0.1],
                [0, y - 0.03],
                [n, y - 0.1],
                [n + 0.1, y + 0.08],
                [0, y + 0.24],
                [-n - 0.1, y + 0.08],
            ]
        ),
        one,
    )
    for stripe in (-1.5, -0.5, 0.5, 1.5):
        x = stripe * n * 0.55
        rise = 0.05 * abs(stripe)
        body.polygon(
            [
                [x - 0.055, y - 0.03 - rise],
                [x + 0.055, y - 0.03 - rise],
                [x + 0.055, y + 0.2 - rise],
                [x - 0.055, y + 0.2 - rise],
            ],
            two,
        )


def white_shirt(body: Pen, look: Look, frame: Frame) -> None:
    """Collar and shirt front in the opening of a coat."""
    n, top = look.neck, frame.shoulder
    body.polygon([[-n * 1.25, top - 0.05], [n * 1.25, top - 0.05], [0, top + 0.5]], WHITE)
    body.line(
        [[-n * 1.25, top - 0.05], [0, top + 0.14], [n * 1.25, top - 0.05]], 0.05, (190, 196, 206)
    )
