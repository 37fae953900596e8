"""What makes a coat a uniform: buttons, stripes, camouflage, fur, a stethoscope."""

from collections.abc import Callable

import numpy as np

from likeness.world.canvas import Pen, darker
from likeness.world.people.ageing import Look
from likeness.world.people.body import Frame, white_shirt
from likeness.world.people.curves import smooth, waves
from likeness.world.people.palette import DARK, GOLD, WHITE


def draw_uniform(body: Pen, look: Look, frame: Frame) -> None:
    """Over the torso and the neck; the role is that of the person."""
    if look.person.role is not None:
        _ROLES[look.person.role](body, look, frame)


def _astronaut(body: Pen, look: Look, frame: Frame) -> None:
    top, s = frame.shoulder, look.shoulders
    body.ellipse(0, top + 0.1, 0.6, 0.15, (120, 126, 140))
    body.ellipse(0, top + 0.07, 0.54, 0.11, (206, 210, 220))
    body.box(-0.4 * s, top + 0.42, 0.4 * s, top + 0.84, (172, 178, 190))
    for x, colour in ((-0.22, (220, 40, 36)), (0.0, (40, 90, 220)), (0.22, (40, 170, 80))):
        body.ellipse(x * s, top + 0.56, 0.07, 0.07, colour)
    body.box(-0.3 * s, top + 0.68, 0.3 * s, top + 0.76, (60, 66, 80))


def _doctor(body: Pen, look: Look, frame: Frame) -> None:
    top, n = frame.shoulder, look.neck
    body.polygon([[-n * 1.3, top - 0.06], [n * 1.3, top - 0.06], [0, top + 0.62]], (40, 168, 150))
    lapel = (206, 214, 222)
    for side in (-1, 1):
        body.polygon(
            [
                [side * n * 1.3, top - 0.08],
                [side * (n + 0.22), top + 0.08],
                [side * 0.1, top + 0.66],
                [0, top + 0.6],
            ],
            lapel,
        )
    body.line([[0, top + 0.6], [0, frame.crotch]], 0.035, (170, 180, 190))
    rubber = (36, 40, 52)
    body.line(
        [
            [-n * 1.2, top - 0.05],
            [-0.28, top + 0.35],
            [-0.1, top + 0.66],
            [0.14, top + 0.5],
            [n * 1.2, top - 0.05],
        ],
        0.06,
        rubber,
    )
    body.line([[-0.1, top + 0.62], [-0.1, top + 0.86]], 0.06, rubber)
    body.ellipse(-0.1, top + 0.9, 0.11, 0.11, rubber)
    body.ellipse(-0.1, top + 0.9, 0.07, 0.07, (226, 232, 240))


def _chef(body: Pen, look: Look, frame: Frame) -> None:
    top, n = frame.shoulder, look.neck
    body.polygon(
        smooth(
            [
                [-n - 0.1, top - 0.08],
                [n + 0.1, top - 0.08],
                [n + 0.08, top + 0.08],
                [0, top + 0.24],
                [-n - 0.08, top + 0.08],
            ]
        ),
        (222, 32, 36),
    )
    body.polygon([[0, top + 0.16], [0.12, top + 0.34], [-0.12, top + 0.34]], (180, 20, 28))
    body.line([[0.3, top + 0.15], [0.26, frame.crotch]], 0.035, (196, 202, 212))
    for k in range(3):
        for x in (-0.17, 0.17):
            body.ellipse(x, top + 0.44 + 0.24 * k, 0.05, 0.05, (40, 42, 50))


def _soldier(body: Pen, look: Look, frame: Frame) -> None:
    rng = np.random.default_rng(look.chance.seed)
    top, s = frame.shoulder, look.shoulders
    colours = ((50, 54, 28), (164, 150, 96), (74, 60, 38))
    for k in range(11):
        x, y = rng.uniform(-0.66, 0.66) * s, top + rng.uniform(0.16, 0.95) * frame.torso
        blob = np.array([x, y]) + rng.uniform(0.7, 1.2, (6, 1)) * _HEXAGON
        body.polygon(smooth(blob), colours[k % 3])
    n = look.neck
    for side in (-1, 1):
        body.polygon(
            [
                [side * n, top - 0.08],
                [side * (n + 0.18), top + 0.06],
                [side * 0.06, top + 0.26],
                [0, top + 0.1],
            ],
            (70, 76, 40),
        )


_HEXAGON = np.stack(
    [0.17 * np.cos(np.arange(6) * np.pi / 3), 0.1 * np.sin(np.arange(6) * np.pi / 3)], -1
)


def _firefighter(body: Pen, look: Look, frame: Frame) -> None:
    top, s, n = frame.shoulder, look.shoulders, look.neck
    yellow, silver = (250, 224, 50), (222, 228, 232)
    body.polygon(
        [
            [-n * 1.4, top - 0.12],
            [n * 1.4, top - 0.12],
            [n * 1.5, top + 0.08],
            [0, top + 0.18],
            [-n * 1.5, top + 0.08],
        ],
        (52, 44, 40),
    )
    for y in (0.46, 0.74):
        at = top + y * frame.torso
        body.box(-0.76 * s, at, 0.76 * s, at + 0.17, yellow)
        body.box(-0.76 * s, at + 0.06, 0.76 * s, at + 0.11, silver)
    for side in (-1, 1):
        x = side * 0.5 * s
        body.polygon(
            [
                [x - 0.08, top + 0.06],
                [x + 0.08, top + 0.06],
                [x + 0.08, top + 0.46],
                [x - 0.08, top + 0.46],
            ],
            yellow,
        )
    body.line([[0, top + 0.16], [0, frame.crotch]], 0.05, (60, 20, 16))


def _policeman(body: Pen, look: Look, frame: Frame) -> None:
    top, s = frame.shoulder, look.shoulders
    white_shirt(body, look, frame)
    body.polygon(
        [[-0.07, top + 0.1], [0.07, top + 0.1], [0.05, top + 0.46], [-0.05, top + 0.46]],
        (16, 20, 40),
    )
    for side in (-1, 1):
        body.polygon(
            [
                [side * 0.5 * s, top + 0.03],
                [side * 0.95 * s, top + 0.16],
                [side * 0.9 * s, top + 0.26],
                [side * 0.5 * s, top + 0.12],
            ],
            GOLD,
        )
    t = np.linspace(-np.pi / 2, 1.5 * np.pi, 11)[:10]
    r = np.where(np.arange(10) % 2 == 0, 0.17, 0.08)
    body.polygon(np.stack([0.45 * s + r * np.cos(t), top + 0.5 + r * np.sin(t)], -1), GOLD)
    body.box(-s * 0.7, frame.crotch - 0.24, s * 0.7, frame.crotch - 0.12, (14, 14, 20))


def _pilot(body: Pen, look: Look, frame: Frame) -> None:
    top, n = frame.shoulder, look.neck
    fur = smooth(
        [
            [-n - 0.22, top - 0.1],
            [0, top - 0.02],
            [n + 0.22, top - 0.1],
            [n + 0.26, top + 0.14],
            [0.1, top + 0.5],
            [-0.1, top + 0.5],
            [-n - 0.26, top + 0.14],
        ]
    )
    body.polygon(waves(fur, 0.025, 14), (244, 232, 204))
    body.polygon([[-n, top - 0.04], [n, top - 0.04], [0, top + 0.3]], (226, 232, 240))
    body.line([[0, top + 0.45], [0, frame.crotch]], 0.05, darker((120, 72, 38), 0.5))
    body.ellipse(0.42 * look.shoulders, top + 0.55, 0.13, 0.05, GOLD)


def _king(body: Pen, look: Look, frame: Frame) -> None:
    top, s, n = frame.shoulder, look.shoulders, look.neck
    fur = smooth(
        [
            [-n - 0.06, top - 0.12],
            [0, top],
            [n + 0.06, top - 0.12],
            [0.7 * s, top + 0.05],
            [0.72 * s, top + 0.34],
            [0.2, top + 0.5],
            [-0.2, top + 0.5],
            [-0.72 * s, top + 0.34],
            [-0.7 * s, top + 0.05],
        ]
    )
    body.polygon(waves(fur, 0.02, 16), WHITE)
    body.box(-0.13, top + 0.4, 0.13, frame.crotch + 0.1, WHITE)
    for x, y in ((-0.5, 0.16), (-0.25, 0.3), (0.25, 0.3), (0.5, 0.16), (0, 0.72), (0, 1.1)):
        body.polygon(
            [[x * s - 0.03, top + y], [x * s + 0.03, top + y], [x * s, top + y + 0.12]], DARK
        )
    body.ellipse(0, top + 0.34, 0.1, 0.1, GOLD)
    body.ellipse(0, top + 0.34, 0.055, 0.055, (30, 80, 220))


_ROLES: dict[str, Callable[[Pen, Look, Frame], None]] = {
    "astronaut": _astronaut,
    "doctor": _doctor,
    "chef": _chef,
    "soldier": _soldier,
    "firefighter": _firefighter,
    "policeman": _policeman,
    "pilot": _pilot,
    "king": _king,
}
