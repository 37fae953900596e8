"""Hats, caps, helmets, crowns, glasses, ribbons, and what covers a face."""

from collections.abc import Callable

import numpy as np

from likeness.world.canvas import RGB, Pen, darker, lighter, mix, round_blob
from likeness.world.people.ageing import Look
from likeness.world.people.curves import bend, smooth, stroke, waves
from likeness.world.people.palette import DARK, GOLD, WHITE

BROW_BAND = -0.25  # where headgear ends on the forehead
KHAKI: RGB = (96, 104, 56)
NAVY: RGB = (22, 32, 84)
LEATHER: RGB = (112, 66, 34)


def covers_forehead(look: Look) -> bool:
    """Whether headgear hides the hairline."""
    return look.person.hat != "none" or look.person.role not in (None, "king", "astronaut")


def draw_headgear(head: Pen, look: Look) -> None:
    """The hat or that of the role."""
    person = look.person
    if person.role is not None:
        _ROLES[person.role](head, look)
    elif person.hat == "hat":
        _hat(head, look)
    elif person.hat == "cap":
        _cap(head, look)
    elif person.identity.sex == "female" and 0.3 < person.age < 13:
        _ribbon(head, look)


def _dome(head: Pen, look: Look, top: float, out: float, colour: RGB) -> None:
    w = look.width + out
    x = 0.08 if look.turned else 0.0
    head.polygon(
        smooth(
            [
                [x - w, BROW_BAND],
                [x - w * 0.94, -0.42],
                [x - 0.55 * w, top + 0.03],
                [x, top],
                [x + 0.55 * w, top + 0.03],
                [x + w * 0.94, -0.42],
                [x + w, BROW_BAND],
                [x, BROW_BAND + 0.02],
            ]
        ),
        colour,
    )
    side = 1 if look.chance.light < 0 else -1
    head.glaze(round_blob(x + side * 0.5 * w, -0.43, 0.3 * w, 0.1), darker(colour, 0.5), 0.4)


def _hat(head: Pen, look: Look) -> None:
    colour, w = look.chance.hat, look.width
    x = 0.04 if look.turned else 0.0
    crown = 0.85 * w + 0.07
    head.polygon(
        [
            [x - crown, BROW_BAND],
            [x - crown * 0.86, -0.72],
            [x - 0.15, -0.76],
            [x, -0.72],
            [x + 0.15, -0.76],
            [x + crown * 0.86, -0.72],
            [x + crown, BROW_BAND],
        ],
        colour,
    )
    head.polygon(
        [
            [x - crown * 0.99, -0.29],
            [x - crown * 0.95, -0.42],
            [x + crown * 0.95, -0.42],
            [x + crown * 0.99, -0.29],
        ],
        mix(WHITE, GOLD, 0.35),
    )
    head.ellipse(x, BROW_BAND - 0.02, w + 0.34, 0.085, colour)
    head.ellipse(x, BROW_BAND + 0.015, w + 0.26, 0.045, darker(colour, 0.4))


def _cap(head: Pen, look: Look) -> None:
    colour = look.chance.hat
    _dome(head, look, -0.6, 0.07, colour)
    head.ellipse(0.08 if look.turned else 0, -0.6, 0.05, 0.03, WHITE)
    if look.person.hidden != "away":
        _visor(head, look, darker(colour, 0.45), 0.1)
        x = -0.2 if look.turned else 0.0
        head.ellipse(x, -0.43, 0.1, 0.07, WHITE)


def _visor(head: Pen, look: Look, colour: RGB, deep: float) -> None:
    w = look.width
    if look.turned:
        head.polygon(
            smooth(
                [
                    [0.0, BROW_BAND - 0.06],
                    [-w - 0.02, BROW_BAND - 0.09],
                    [-w - 0.36, BROW_BAND + 0.03],
                    [-w - 0.1, BROW_BAND + 0.05],
                    [0.0, BROW_BAND + 0.05],
                ]
            ),
            colour,
        )
        return
    head.polygon(
        smooth(
            [
                [-0.95 * w, BROW_BAND - 0.05],
                [0, BROW_BAND - 0.07],
                [0.95 * w, BROW_BAND - 0.05],
                [0.75 * w, BROW_BAND + deep],
                [0, BROW_BAND + deep + 0.02],
                [-0.75 * w, BROW_BAND + deep],
            ]
        ),
        colour,
    )


def _ribbon(head: Pen, look: Look) -> None:
    x = 0.25 if look.turned else (0.2 if look.chance.parting > 0 else -0.2)
    colour = look.chance.ribbon
    head.polygon([[x, -0.51], [x - 0.16, -0.62], [x - 0.16, -0.41]], colour)
    head.polygon([[x, -0.51], [x + 0.16, -0.62], [x + 0.16, -0.41]], colour)
    head.ellipse(x, -0.51, 0.045, 0.045, darker(colour, 0.35))


def _toque(head: Pen, look: Look) -> None:
    x = 0.06 if look.turned else 0.0
    w = look.width * 0.95
    gray = (206, 210, 220)
    for dx, y, r in ((-0.27, -0.78, 0.22), (0.27, -0.78, 0.22), (0, -0.86, 0.26)):
        head.ellipse(x + dx, y, r, 0.19, WHITE)
    head.polygon(
        [
            [x - w, BROW_BAND - 0.02],
            [x - w - 0.03, -0.78],
            [x + w + 0.03, -0.78],
            [x + w, BROW_BAND - 0.02],
        ],
        WHITE,
    )
    for dx in (-0.2, 0.0, 0.2):
        head.glaze(
            stroke([[x + dx, -0.5], [x + dx * 1.1, -0.65], [x + dx * 1.25, -0.84]], 0.04), gray, 0.9
        )
    head.box(x - w - 0.01, BROW_BAND - 0.17, x + w + 0.01, BROW_BAND, (224, 228, 236))


def _surgeon(head: Pen, look: Look) -> None:
    _dome(head, look, -0.6, 0.05, (40, 168, 150))
    w, x = look.width + 0.05, 0.08 if look.turned else 0.0
    head.box(x - w, BROW_BAND - 0.07, x + w, BROW_BAND, (22, 124, 112))
    if look.person.hidden == "away":
        return
    at = -0.22 if look.turned else 0.0
    head.ellipse(at, BROW_BAND - 0.1, 0.1, 0.1, (150, 160, 172))
    head.ellipse(at, BROW_BAND - 0.1, 0.07, 0.07, (240, 248, 255))


def _steel_helmet(head: Pen, look: Look) -> None:
    _dome(head, look, -0.66, 0.11, KHAKI)
    for dx, y, rx, dark in (
        (-0.24, -0.42, 0.14, True),
        (0.22, -0.5, 0.12, False),
        (0.06, -0.36, 0.12, True),
        (-0.05, -0.57, 0.12, False),
    ):
        head.ellipse(dx, y, rx, 0.06, (52, 56, 28) if dark else (160, 146, 92))
    x, w = (0.08 if look.turned else 0.0), look.width + 0.16
    head.polygon(
        [
            [x - w, BROW_BAND - 0.03],
            [x + w, BROW_BAND - 0.03],
            [x + w, BROW_BAND + 0.04],
            [x - w, BROW_BAND + 0.04],
        ],
        (58, 62, 30),
    )


def _fire_helmet(head: Pen, look: Look) -> None:
    red = (216, 30, 26)
    x, w = (0.06 if look.turned else 0.0), look.width
    head.ellipse(x, BROW_BAND - 0.01, w + 0.24, 0.1, darker(red, 0.35))
    _dome(head, look, -0.68, 0.09, red)
    head.polygon(stroke(bend(x, -0.3, x, -0.74, 0, 5), 0.1), (250, 214, 40))
    if look.person.hidden != "away":
        at = -0.22 if look.turned else 0.0
        head.polygon(
            [
                [at - 0.13, -0.5],
                [at + 0.13, -0.5],
                [at + 0.11, -0.34],
                [at, -0.26],
                [at - 0.11, -0.34],
            ],
            (252, 222, 50),
        )


def _peaked_cap(head: Pen, look: Look) -> None:
    x, w = (0.06 if look.turned else 0.0), look.width
    head.polygon(
        smooth(
            [
                [x - w - 0.03, BROW_BAND],
                [x - w - 0.24, -0.55],
                [x - 0.4 * w, -0.66],
                [x, -0.7],
                [x + 0.4 * w, -0.66],
                [x + w + 0.24, -0.55],
                [x + w + 0.03, BROW_BAND],
                [x, BROW_BAND + 0.02],
            ]
        ),
        NAVY,
    )
    head.box(x - w - 0.03, BROW_BAND - 0.1, x + w + 0.03, BROW_BAND, (232, 236, 244))
    if look.person.hidden == "away":
        return
    _visor(head, look, (12, 12, 18), 0.07)
    at = -0.24 if look.turned else 0.0
    head.polygon([[at, -0.6], [at + 0.1, -0.48], [at, -0.36], [at - 0.1, -0.48]], GOLD)


def _aviator(head: Pen, look: Look) -> None:
    x, w = (0.08 if look.turned else 0.0), look.width
    _dome(head, look, -0.59, 0.06, LEATHER)
    for side in (-1, 1):
        at = 0.5 * w if look.turned else side * (w + 0.02)
        if not (look.turned and side < 0):
            head.polygon(
                smooth(
                    [
                        [at - 0.07, -0.3],
                        [at + 0.08, -0.3],
                        [at + 0.08, 0.12],
                        [at, 0.3],
                        [at - 0.06, 0.12],
                    ]
                ),
                LEATHER,
            )
    head.box(x - w - 0.06, -0.42, x + w + 0.06, -0.34, (40, 26, 20))
    if look.person.hidden == "away":
        return
    for eye in (-0.17, 0.17):
        at = eye + (-0.16 if look.turned else 0.0)
        head.ellipse(at, -0.38, 0.165, 0.12, (236, 190, 70))
        head.ellipse(at, -0.38, 0.125, 0.085, (110, 190, 226))
        head.ellipse(at - 0.04, -0.41, 0.04, 0.03, WHITE)


def _crown(head: Pen, look: Look) -> None:
    x, w = (0.06 if look.turned else 0.0), look.width + 0.06
    low, high = -0.36, -0.78
    xs = x + w * np.linspace(-1.05, 1.05, 9)
    ys = np.where(np.arange(9) % 2 == 0, high, -0.56)
    points = [[x + w, low], [x - w, low], *np.stack([xs, ys], -1).tolist()]
    head.polygon(points, GOLD)
    head.box(x - w, low - 0.07, x + w, low, darker(GOLD, 0.25))
    for dx, colour in ((-0.6, (30, 80, 220)), (0, (220, 20, 50)), (0.6, (20, 160, 80))):
        head.ellipse(x + dx * w, low - 0.1, 0.055, 0.055, colour)
    for at in xs[::2]:
        head.ellipse(float(at), high, 0.04, 0.04, lighter(GOLD, 0.6))


def draw_globe_behind(head: Pen, look: Look) -> None:
    """An astronaut's helmet, behind the head: white shell, dark inside."""
    head.ellipse(0.0, -0.04, 0.86, 0.82, (186, 190, 200))
    head.ellipse(0.0, -0.05, 0.81, 0.77, (246, 247, 250))
    if look.person.hidden != "away":
        head.ellipse(0.0, -0.02, 0.62, 0.6, (34, 40, 66))


def _globe(head: Pen, look: Look) -> None:
    if look.person.hidden == "away":
        head.ellipse(0.0, -0.05, 0.81, 0.77, (246, 247, 250))
        head.box(-0.3, 0.1, 0.3, 0.3, (200, 204, 214))
        return
    head.arc(0, -0.02, 0.64, 0.62, -np.pi, 0, 0.11, (246, 247, 250))
    head.arc(0, -0.02, 0.6, 0.58, -np.pi * 0.97, -np.pi * 0.03, 0.05, (240, 170, 40))
    head.arc(0, -0.02, 0.64, 0.62, 0, np.pi, 0.11, (224, 227, 234))
    for side in (-1, 1):
        head.ellipse(side * 0.8, 0.02, 0.08, 0.15, (206, 50, 44))


_ROLES: dict[str, Callable[[Pen, Look], None]] = {
    "astronaut": _globe,
    "doctor": _surgeon,
    "chef": _toque,
    "soldier": _steel_helmet,
    "firefighter": _fire_helmet,
    "policeman": _peaked_cap,
    "pilot": _aviator,
    "king": _crown,
}


def draw_glasses(head: Pen, look: Look) -> None:
    """Thick dark frames with bright lenses around the eyes."""
    t = np.linspace(0, 2 * np.pi, 17)
    bridge = []
    for side in (-1, 1):
        narrow = look.narrowed(side * look.eye_at)
        if narrow < 0.2:
            continue
        x, y = look.across(side * look.eye_at), look.eye_y + 0.012
        rx, ry = (look.eye_rx * 1.42 + 0.015) * max(narrow, 0.45), look.eye_ry * 1.1 + 0.07
        ring = np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], -1)
        head.glaze(ring, (235, 245, 255), 0.3)
        head.line(ring, 0.052, DARK)
        bridge.append(x - side * rx)
    if len(bridge) == 2:
        head.line([[bridge[0], look.eye_y], [bridge[1], look.eye_y]], 0.05, DARK)
    for side in (1,) if look.turned else (-1, 1):
        rim = look.across(side * look.eye_at) + side * look.eye_rx * 1.3
        ear = side * look.width * (0.5 if look.turned else 1.0)
        head.line([[rim, look.eye_y], [ear, look.eye_y - 0.01]], 0.05, DARK)


def draw_earrings(head: Pen, look: Look) -> None:
    """Girls and women wear them."""
    if look.person.identity.sex != "female" or look.person.age < 2:
        return
    for side in (-1, 1):
        if look.turned and side < 0:
            continue
        x = look.width * 0.5 if look.turned else side * (look.width * 1.02 + 0.01)
        head.ellipse(x, look.eye_y + 0.2, 0.045, 0.06, darker(GOLD, 0.4))
        head.ellipse(x, look.eye_y + 0.195, 0.034, 0.045, GOLD)


def draw_cover(head: Pen, look: Look) -> None:
    """A mask, or both hands, over all of the face."""
    if look.chance.masked:
        colour = look.chance.ribbon
        w = look.width * 1.05
        head.polygon(
            smooth(
                [
                    [-w, -0.26],
                    [0, -0.34],
                    [w, -0.26],
                    [w, 0.12],
                    [0.6 * w, 0.44],
                    [0, 0.53],
                    [-0.6 * w, 0.44],
                    [-w, 0.12],
                ]
            ),
            colour,
        )
        for y in (-0.1, 0.08, 0.26):
            head.glaze(stroke(bend(-w * 0.85, y, w * 0.85, y, -0.05), 0.03), DARK, 0.4)
        return
    for side in (-1, 1):
        x = side * look.width * 0.5
        sleeve = bend(x * 0.9, 0.3, side * 0.75, 1.2, 0.0)
        head.line(sleeve, 0.3, darker(look.skin, 0.3))
        head.ellipse(x, 0.16, look.width * 0.56, 0.38, darker(look.skin, 0.4))
        palm = waves(round_blob(x, 0.16, look.width * 0.52, 0.35), 0.01, 3)
        head.polygon(palm, darker(look.skin, 0.14))
        for finger in range(4):
            fx = x + (finger - 1.5) * look.width * 0.25
            tip = -0.24 - 0.04 * (finger in (1, 2))
            path = bend(fx, 0.12, fx - side * 0.02, tip, 0.0)
            head.polygon(stroke(path, 0.115), darker(look.skin, 0.1))
            head.glaze(stroke(path + np.array([0.05, 0]), 0.022), darker(look.skin, 0.6), 0.7)
