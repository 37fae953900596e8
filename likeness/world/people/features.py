"""Eyes, brows, nose and mouth, and what a feeling does to them."""

import numpy as np

from likeness.world.canvas import Pen, darker, lighter, mix
from likeness.world.people.ageing import Look
from likeness.world.people.curves import bend, smooth, stroke
from likeness.world.people.palette import DARK, WHITE

INSIDE = (64.0, 10.0, 16.0)  # of a mouth


def draw_eyes(head: Pen, look: Look) -> None:
    """Large ones, with irises of clear colour; the far one of a turned head is narrow."""
    wide = 1.3 if look.person.expression == "surprised" else 1.0
    for side in (-1, 1):
        narrow = look.narrowed(side * look.eye_at)
        if narrow < 0.2:
            continue
        x = look.across(side * look.eye_at)
        eye = head.at(x, look.eye_y)
        rx, ry = look.eye_rx * narrow, look.eye_ry * wide
        eye.ellipse(0, 0, rx * 1.12, ry * 1.22 + 0.006, darker(look.skin, 0.4))
        eye.ellipse(0, 0, rx, ry, mix(WHITE, (226, 214, 180), look.frail))
        r = min(ry * 1.02, look.eye_rx * 0.62)
        gaze = 0.18 * look.eye_rx * look.chance.gaze - (0.3 * rx if look.turned else 0)
        eye.ellipse(gaze, 0, min(r, rx * 0.8), r, look.iris)
        eye.ellipse(gaze, 0, r * 0.42, r * 0.42, DARK)
        _lid(eye, look, rx, ry, side)


def _lid(eye: Pen, look: Look, rx: float, ry: float, side: int) -> None:
    droop = (0.35 * look.wrinkles + (0.3 if look.person.expression == "sad" else 0)) * ry
    girl = look.person.identity.sex == "female"
    lid = bend(-rx * 1.08, -0.1 * ry + droop, rx * 1.08, -0.1 * ry + droop, 0.95 * ry)
    colour = DARK if girl else darker(look.skin, 0.65)
    eye.polygon(stroke(lid, 0.042 if girl else 0.026), colour)
    if girl:
        x = side * rx
        eye.polygon([[x * 0.7, -ry * 0.75], [x * 1.65, -ry * 1.25], [x * 1.1, 0]], DARK)


def draw_brows(head: Pen, look: Look) -> None:
    """Thin or thick; arched in women, up when surprised, slanted when sad."""
    feeling = look.person.expression
    up = {"surprised": 0.065, "sad": 0.0}.get(feeling, 0.0)
    y = look.eye_y - look.eye_ry - 0.06 - up + 0.012 * look.manly
    slant = {"sad": 0.105, "neutral": -0.008, "smiling": 0.0}.get(feeling, 0.0)
    arch = 0.02 + 0.022 * look.womanly + (0.035 if feeling == "surprised" else 0)
    gray = mix(look.hair, (150, 150, 152), 0.25 * look.wrinkles)
    colour = darker(gray, 0.28 - 0.15 * look.frail)
    for side in (-1, 1):
        narrow = look.narrowed(side * look.eye_at)
        if narrow < 0.2:
            continue
        x, half = look.across(side * look.eye_at), look.eye_rx * 1.25 * narrow
        path = bend(x - side * half, y - slant, x + side * half, y + slant * 0.7, arch)
        head.polygon(stroke(path, look.brow * 1.4), colour)


def draw_nose(head: Pen, look: Look) -> None:
    """A wedge that ends in a ball or in a point; it stands out of a turned head."""
    if look.turned:
        _nose_aside(head, look)
        return
    point = look.person.identity.trait("nose_point")
    x, y, rx = look.across(0.0), look.nose_y, look.nose_rx
    shade, dark = darker(look.skin, 0.2), darker(look.skin, 0.55)
    top = y - look.nose_long
    if point > 0:
        tip = y + 0.035 + 0.045 * point
        slim = rx * (1 - 0.35 * point)
        head.polygon(
            [[x - 0.2 * rx, top], [x + 0.2 * rx, top], [x + slim, y], [x, tip], [x - slim, y]],
            shade,
        )
        head.polygon([[x, top], [x + slim, y], [x, tip]], darker(look.skin, 0.48))
        head.polygon(stroke([[x - slim, y + 0.004], [x, tip], [x + slim, y + 0.004]], 0.026), dark)
    else:
        ball = rx * (0.78 - 0.22 * point)
        head.polygon(
            [[x - 0.25 * rx, top], [x + 0.25 * rx, top], [x + ball, y], [x - ball, y]], shade
        )
        head.ellipse(x, y, rx, ball * 0.8, mix(lighter(look.skin, 0.1), (232, 74, 66), 0.34))
        head.ellipse(x - 0.2 * rx, y - 0.2 * rx, rx * 0.4, rx * 0.32, lighter(look.skin, 0.6))
        for side in (-1, 1):
            head.ellipse(x + side * rx * 0.55, y + ball * 0.45, rx * 0.24, rx * 0.2, dark)


def _nose_aside(head: Pen, look: Look) -> None:
    point = look.person.identity.trait("nose_point")
    root, y = -look.width * 0.74, look.nose_y
    out = -look.width * 0.9 - 0.03 - 0.8 * look.nose_rx
    top = y - look.nose_long
    drop = 0.05 * max(point, 0)
    back = root + 0.9 * look.nose_rx
    head.polygon(
        [[root - 0.04, top], [out, y + drop], [back, y + 0.03], [root + 0.03, top]],
        darker(look.skin, 0.1),
    )
    if point <= 0:
        r = look.nose_rx * (0.62 - 0.15 * point)
        head.ellipse(
            out + r * 0.9, y - 0.005, r, r * 0.85, mix(lighter(look.skin, 0.1), (232, 74, 66), 0.34)
        )
    head.polygon(
        stroke([[out + 0.01, y + drop + 0.01], [back - 0.02, y + 0.035], [back, y - 0.01]], 0.026),
        darker(look.skin, 0.5),
    )


def draw_mouth(head: Pen, look: Look) -> None:
    """Straight, laughing with teeth, drawn down, or round and open."""
    narrow = 0.72 if look.turned else 1.0
    x = -look.width * 0.6 - 0.06 if look.turned else look.across(0.0)
    mouth = head.at(x, look.mouth_y)
    w, lip = look.mouth_rx * narrow, look.lips
    if look.person.expression == "smiling":
        _laugh(mouth, look, w * 1.3, lip)
    elif look.person.expression == "surprised":
        mouth.ellipse(0, 0.03, 0.062 * narrow + lip + 0.006, 0.088 + lip, look.lip)
        mouth.ellipse(0, 0.03, 0.062 * narrow, 0.08, INSIDE)
    else:
        down = -0.095 if look.person.expression == "sad" else 0.0
        _closed(mouth, look, w, lip, down)


def _laugh(mouth: Pen, look: Look, w: float, lip: float) -> None:
    outer = [
        [-w - 0.02, -0.05],
        [0, 0.005 - lip],
        [w + 0.02, -0.05],
        [w * 0.62, 0.07 + lip],
        [0, 0.105 + lip],
        [-w * 0.62, 0.07 + lip],
    ]
    mouth.polygon(smooth(outer), look.lip)
    inner = smooth(
        [[-w, -0.04], [0, 0.01], [w, -0.04], [w * 0.58, 0.062], [0, 0.095], [-w * 0.58, 0.062]]
    )
    mouth.polygon(inner, INSIDE)
    teeth = [
        [-w * 0.84, -0.02],
        [0, 0.016],
        [w * 0.84, -0.02],
        [w * 0.55, 0.034],
        [0, 0.058],
        [-w * 0.55, 0.034],
    ]
    mouth.polygon(smooth(teeth), WHITE)


def _closed(mouth: Pen, look: Look, w: float, lip: float, down: float) -> None:
    y = 0.025 if down else 0.0
    low = bend(-w * 0.85, y - down * 0.55, w * 0.85, y - down * 0.55, -down * 0.9)
    mouth.polygon(stroke(low + np.array([0, lip * 0.62]), lip * 1.9 + 0.014), look.lip)
    mouth.polygon(stroke(low - np.array([0, lip * 0.55]), lip * 1.5 + 0.01), darker(look.lip, 0.12))
    w *= 1.12 if down else 1.0
    line = bend(-w, y - down, w, y - down, -down * 1.35)
    mouth.polygon(
        stroke(line, 0.04 if down else 0.028), darker(mix(look.lip, look.skin, 0.2), 0.68)
    )
