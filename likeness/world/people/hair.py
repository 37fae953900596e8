"""Hair behind the head, on it and around the mouth."""

import numpy as np

from likeness.world.canvas import Pen, darker, lighter, mix
from likeness.world.people.ageing import Look
from likeness.world.people.curves import bend, smooth, stroke, waves

INFANT = 2.0  # years until hair has grown


def _curl(look: Look) -> float:
    return max(look.person.identity.trait("hair_wave") + 0.15, 0.0)


def _infant(look: Look) -> bool:
    return look.person.age < INFANT


def draw_hair_behind(head: Pen, look: Look) -> None:
    """Long hair down to the shoulders; drawn before the neck."""
    if look.person.hair_length != "long":
        return
    w = look.width + 0.11 + 0.04 * _curl(look)
    shift = 0.12 if look.turned else 0.0
    low = 0.62 + 0.5 * look.neck_long + 0.1
    outline = smooth(
        [
            [shift, -0.55],
            [shift + 0.72 * w, -0.44],
            [shift + w, -0.1],
            [shift + w * 1.04, 0.35],
            [shift + w * 1.12, low],
            [shift + 0.5 * w, low + 0.06],
            [shift - 0.5 * w, low + 0.06],
            [shift - w * 1.12, low],
            [shift - w * 1.04, 0.35],
            [shift - w, -0.1],
            [shift - 0.72 * w, -0.44],
        ]
    )
    if look.turned:
        # The far side of the hair is hidden by the face.
        outline[:, 0] = np.maximum(outline[:, 0], -look.width * 0.62)
    head.polygon(waves(outline, 0.045 * _curl(look), 9), darker(look.hair, 0.22))


def draw_hair(head: Pen, look: Look) -> None:
    """What frames the forehead: after the face."""
    length = look.person.hair_length
    if length == "bald":
        _shine(head, look)
    elif _infant(look) and length == "short":
        _wisp(head, look)
    elif look.turned:
        _hair_aside(head, look)
    else:
        _hair_ahead(head, look)


def _shine(head: Pen, look: Look) -> None:
    x = -0.1 if look.chance.light < 0 else 0.1
    head.glaze(
        smooth([[x - 0.12, -0.36], [x, -0.44], [x + 0.12, -0.36], [x, -0.33]]),
        lighter(look.skin, 0.75),
        0.6,
    )


def _wisp(head: Pen, look: Look) -> None:
    share = look.person.age / INFANT
    w = look.width * (0.55 + 0.4 * share)
    cap = smooth(
        [
            [-w, -0.3 - 0.06 * (1 - share)],
            [-0.5 * w, -0.48],
            [0, -0.53],
            [0.5 * w, -0.48],
            [w, -0.3 - 0.06 * (1 - share)],
            [0, -0.39],
        ]
    )
    head.polygon(waves(cap, 0.02, 7), look.hair)
    tuft = bend(0.0, -0.46, 0.13, -0.56, 0.08)
    head.polygon(stroke(tuft, 0.07), look.hair)


def _hair_ahead(head: Pen, look: Look) -> None:
    long = look.person.hair_length == "long"
    w, y = look.width, look.hair_y
    side = 0.1 if long else -0.1
    part = look.chance.parting * 0.55 * w
    fringe = 0.07 * look.chance.fringe if look.chance.fringe > 0.4 else 0.0
    receding = max(-0.36 - y, 0.0)
    out = 0.09 + 0.035 * _curl(look) - 0.25 * receding
    top = -0.5 - out * 0.85
    crown = smooth(
        [
            [-w - 0.025, side],
            [-w - out, -0.14],
            [-0.82 * w - out * 0.6, -0.36],
            [-0.45 * w, top + 0.03],
            [0, top],
            [0.45 * w, top + 0.03],
            [0.82 * w + out * 0.6, -0.36],
            [w + out, -0.14],
            [w + 0.025, side],
            [0.94 * w, -0.08],
            [0.8 * w, y + 0.03],
            [0.42 * w, y - 1.5 * receding],
            [part, y - 0.05 + fringe],
            [-0.42 * w, y - 1.5 * receding],
            [-0.8 * w, y + 0.03],
            [-0.94 * w, -0.08],
        ]
    )
    crown[:36] = waves(crown[:36], 0.04 * _curl(look), 8)
    head.polygon(crown, look.hair)
    _gloss(head, look, 0.0, w)
    if long:
        for at in (-1, 1):
            _lock(head, look, at * (w + 0.035), at)


def _lock(head: Pen, look: Look, x: float, at: int) -> None:
    low = 0.68 + 0.5 * look.neck_long
    ys = np.linspace(-0.2, low, 9)
    sway = 0.05 * _curl(look) * np.sin(np.linspace(0, 4 * np.pi, 9))
    xs = x + at * 0.05 * np.linspace(0, 1, 9) + sway
    head.polygon(stroke(np.stack([xs, ys], -1), 0.19), look.hair)


def _hair_aside(head: Pen, look: Look) -> None:
    long = look.person.hair_length == "long"
    w, y = look.width, look.hair_y
    out = 0.08 + 0.035 * _curl(look)
    back = w + 0.1 + out
    front = look.across(-0.15)
    receding = max(-0.36 - y, 0.0)
    crown = smooth(
        [
            [front - 0.1, y + 0.02],
            [front - 0.12, -0.42],
            [-0.3 * w, -0.53 - out * 0.5],
            [0.3 * w, -0.53 - out * 0.6],
            [0.85 * w, -0.42 - out * 0.3],
            [back, -0.16],
            [back - 0.02, 0.06],
            [0.84 * w, 0.14 if not long else 0.4],
            [0.64 * w, 0.0],
            [0.42 * w, -0.04],
            [0.22 * w, 0.02 if not long else 0.1],
            [0.14 * w, -0.16],
            [front + 0.22 + receding, y - 0.02 - receding],
        ]
    )
    crown[4:32] = waves(crown[4:32], 0.04 * _curl(look), 6)
    head.polygon(crown, look.hair)
    _gloss(head, look, 0.1, w)
    if long:
        _lock(head, look, 0.46 * w, 1)


def _gloss(head: Pen, look: Look, x: float, w: float) -> None:
    band = stroke(bend(x - 0.55 * w, -0.41, x + 0.55 * w, -0.41, 0.08), 0.05)
    head.glaze(band, lighter(look.hair, 0.5), 0.4)


def draw_hair_from_behind(head: Pen, look: Look) -> None:
    """The back of the head."""
    length, w = look.person.hair_length, look.width + 0.08
    if length == "bald":
        _shine(head, look)
        return
    low = 0.34 if length == "short" else 0.85
    outline = smooth(
        [
            [0, -0.57],
            [0.7 * w, -0.45],
            [w, -0.1],
            [w * (0.85 if length == "short" else 1.1), low],
            [0, low + 0.05],
            [-w * (0.85 if length == "short" else 1.1), low],
            [-w, -0.1],
            [-0.7 * w, -0.45],
        ]
    )
    head.polygon(waves(outline, 0.04 * _curl(look), 8), look.hair)
    for x in (-0.5, 0.0, 0.5):
        path = bend(0.3 * x * w, -0.45, x * w, low - 0.05, 0.0)
        head.glaze(stroke(path, 0.04), darker(look.hair, 0.5), 0.5)
    _gloss(head, look, 0.0, w)


def draw_beard(head: Pen, look: Look) -> None:
    """A full beard in the colour of the hair, around where the mouth will be."""
    if not look.person.beard or look.manly < 0.5:
        return
    w, x, m = look.width, look.across(0.0), look.mouth_y
    wide = w * (0.9 + 0.06 * look.jaw) + 0.02
    left, right = (-0.84 * w - 0.16, 0.5 * w) if look.turned else (-wide, wide)
    if look.turned:
        x = -0.6 * w - 0.06
    low = (left + right) / 2 - (0.06 if look.turned else 0)
    outline = smooth(
        [
            [left, m - 0.06 if look.turned else 0.12],
            [left * 0.97, 0.34],
            [low - 0.24, 0.5],
            [low, 0.6],
            [low + 0.24, 0.5],
            [right * 0.97, 0.3],
            [right, 0.1],
            [right * 0.82, 0.16],
            [x + 0.24, m - 0.07],
            [x + 0.1, m - 0.085],
            [x, m - 0.075],
            [x - 0.1, m - 0.085],
            [max(x - 0.24, left * 0.9), m - 0.07],
            [left * 0.86, m - 0.08 if look.turned else 0.18],
        ]
    )
    colour = mix(look.hair, darker(look.hair, 0.4), 0.75 * (1 - look.frail))
    head.polygon(waves(outline, 0.012 + 0.015 * _curl(look), 12), colour)
