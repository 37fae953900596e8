"""The head without hair: skull, ears, light and shadow, and what the years draw on the skin."""

import numpy as np

from likeness.world.canvas import Array, Pen, darker, lighter, mix, round_blob
from likeness.world.people.ageing import Look, blotches
from likeness.world.people.curves import bend, smooth, stroke


def face_outline(look: Look) -> Array:
    """From the crown round the chin, n x 2 in units of the head."""
    w, jaw, sag = look.width, look.jaw, look.frail
    half = [
        (-0.5, 0.32 * w),
        (-0.42, 0.68 * w),
        (-0.26, 0.95 * w),
        (-0.06, w),
        (0.12, w + look.cheek * 0.45),
        (0.27, w * (0.86 + 0.1 * jaw) + look.cheek + 0.03 * sag),
        (0.4, w * (0.6 + 0.2 * jaw) + look.cheek * 0.7 + 0.035 * sag),
        (0.49, w * (0.26 + 0.15 * jaw) + look.cheek * 0.2),
    ]
    ys = np.array([y for y, _ in half])
    xs = np.array([x for _, x in half])
    right, left = np.stack([xs, ys], -1), np.stack([-xs, ys], -1)[::-1]
    outline = smooth(np.vstack([right, left]))
    if look.turned:
        outline[:, 0] = outline[:, 0] * 0.93 - 0.32 * np.maximum(outline[:, 1], 0)
    return outline


def draw_neck(body: Pen, look: Look) -> None:
    """From under the chin to the shoulders; thin and stringy in the old."""
    low = 0.62 + look.neck_long
    shade = darker(look.skin, 0.16)
    n = look.neck
    body.polygon([[-n, 0.2], [n, 0.2], [n * 1.08, low], [0, low + 0.16], [-n * 1.08, low]], shade)
    body.glaze(
        [[-n, 0.3], [n, 0.3], [n, 0.5], [0, 0.5 + 0.5 * look.neck_long], [-n, 0.5]],
        darker(look.skin, 0.6),
        0.3,
    )
    for side in (-1, 1):
        path = bend(side * n * 0.5, 0.5, side * n * 0.2, low, 0)
        body.glaze(stroke(path, 0.03), darker(look.skin, 0.6), 0.6 * look.frail)


def draw_skull(head: Pen, look: Look) -> None:
    """Head and ears in the colour of the skin, lit from one side."""
    outline = face_outline(look)
    edge = darker(look.skin, 0.12)
    _ears(head, look)
    if look.turned:
        head.ellipse(0.09, -0.14, look.width + 0.05, 0.36, look.skin)
    _double_chin(head, look)
    head.polygon(outline, look.skin)
    side = -1 if look.chance.light > 0 else 1
    half = np.array_split(outline, 2)[0 if side > 0 else 1]
    middle = half[:, :1].min() if side > 0 else half[:, :1].max()
    inner = (half - (middle, 0)) * (0.66, 1.0) + (middle, 0)
    head.glaze(np.vstack([half, inner[::-1]]), edge, 0.35 + 0.4 * abs(look.chance.light))


def on_face(look: Look, points: Array) -> Array:
    """Points (n x 2) pushed sideways until they lie on the face."""
    right, left = np.array_split(face_outline(look), 2)
    low = np.interp(points[:, 1], left[::-1, 1], left[::-1, 0]) + 0.02
    high = np.interp(points[:, 1], right[:, 1], right[:, 0]) - 0.02
    return np.stack([np.clip(points[:, 0], low, high), points[:, 1]], -1)


def draw_back(head: Pen, look: Look) -> None:
    """The head of somebody who looks away: no features."""
    _ears(head, look)
    head.polygon(face_outline(look), darker(look.skin, 0.05))
    head.glaze(stroke(bend(-0.16, 0.42, 0.16, 0.42, -0.04), 0.04), darker(look.skin, 0.6), 0.5)


def _ears(head: Pen, look: Look) -> None:
    y = look.eye_y + 0.06
    for side in (-1, 1):
        if look.turned and side < 0:
            continue
        x = look.width * 0.5 if look.turned else side * look.width * 1.02
        ear = darker(look.skin, 0.1 if not look.turned else 0.16)
        head.ellipse(x, y, look.ear * 0.62, look.ear, ear)
        head.ellipse(x, y, look.ear * 0.32, look.ear * 0.6, darker(look.skin, 0.3))


def draw_near_ear(head: Pen, look: Look) -> None:
    """The ear of somebody who looks aside; over skull and hair."""
    if look.turned:
        _ears(head, look)


def _double_chin(head: Pen, look: Look) -> None:
    amount = max(look.person.identity.trait("chin"), 0.0)
    if amount <= 0:
        return
    x = -0.12 if look.turned else 0.0
    size = 0.35 + 0.65 * amount
    fold = mix(look.skin, darker(look.skin, 0.35), 0.35)
    head.ellipse(x, 0.43, look.width * (0.62 + 0.2 * size), 0.09 + 0.09 * size, fold)


def draw_relief(head: Pen, look: Look) -> None:
    """Blush, cheekbones, the line of a chin, a man's shaven jaw."""
    who = look.person.identity
    deep = darker(look.skin, 0.5)
    rosy = mix(look.skin, (236, 62, 72), 0.55)
    for side in (-1, 1):
        x, narrow = look.across(0.62 * side), look.narrowed(0.62 * side)
        if narrow < 0.3:
            continue
        y = look.eye_y + 0.17
        if look.blush > 0.06:
            spot = round_blob(x, y + 0.02, 0.105 * narrow + 0.01, 0.075)
            head.glaze(spot, rosy, 0.7 * look.blush)
        high = who.trait("cheekbones")
        if high > 0:
            bone = bend(x + side * 0.1 * narrow, y - 0.05, x - side * 0.1 * narrow, y + 0.11, -0.03)
            head.glaze(stroke(bone, 0.06), deep, 0.25 + 0.4 * high)
            head.glaze(round_blob(x, y - 0.05, 0.08 * narrow, 0.03), lighter(look.skin, 0.6), 0.5)
    if who.trait("chin") > 0:
        x = -0.15 if look.turned else 0.0
        head.glaze(stroke(bend(x - 0.17, 0.43, x + 0.17, 0.43, -0.07), 0.035), deep, 0.75)
    else:
        x = -0.15 if look.turned else look.across(0.0)
        head.glaze(stroke(bend(x - 0.07, 0.42, x + 0.07, 0.42, 0.025), 0.025), deep, 0.4)
    _shaven(head, look)


def _shaven(head: Pen, look: Look) -> None:
    if look.manly < 0.3 or look.person.beard:
        return
    w = look.width
    x = -0.55 * w - 0.06 if look.turned else look.across(0.0)
    jaw = smooth(
        [
            [x - 0.5 * w, 0.24],
            [x, 0.2],
            [x + 0.5 * w, 0.24],
            [x + 0.4 * w, 0.42],
            [x, 0.48],
            [x - 0.4 * w, 0.42],
        ]
    )
    grown = float(np.interp(look.person.age, [15, 32], [0.1, 0.34]))
    head.glaze(on_face(look, jaw), mix((74, 88, 100), look.hair, 0.25), grown)


def draw_years(head: Pen, look: Look) -> None:
    """Folds beside the nose, rings under the eyes, furrows, crow's feet, spots."""
    deep = darker(mix(look.skin, (150, 60, 40), 0.25), 0.52)
    for side in (-1, 1):
        narrow = look.narrowed(side * look.eye_at)
        if narrow < 0.35:
            continue
        _fold(head, look, side, narrow)
        _ring(head, look, side, narrow)
        _crows_feet(head, look, side, narrow)
    middle = look.across(0.0)
    top, low = look.hair_y + 0.03, look.eye_y - 0.17
    for line in range(3):
        share = np.clip(look.wrinkles * 2.2 - line * 0.5, 0, 1)
        if share > 0:
            y = low - (low - top) * (line + 0.6) / 3.4
            half = look.width * (0.62 - 0.08 * line)
            path = on_face(look, bend(middle - half, y, middle + half, y, 0.02))
            head.glaze(stroke(path, 0.026), deep, 0.85 * float(share))
    if look.frail > 0:
        _late(head, look)
    _pimples(head, look)


def _fold(head: Pen, look: Look, side: int, narrow: float) -> None:
    deep = darker(mix(look.skin, (150, 60, 40), 0.25), 0.52)
    x, nose = look.across(0.0), look.nose_rx * 1.25 + 0.01
    path = bend(
        x + side * nose * narrow,
        look.nose_y - 0.01,
        x + side * (look.mouth_rx + 0.055) * narrow,
        look.mouth_y + 0.05 + 0.06 * look.wrinkles,
        0.02,
    )
    head.glaze(stroke(path, 0.024 + 0.026 * look.wear), deep, 0.95 * look.wear)


def _ring(head: Pen, look: Look, side: int, narrow: float) -> None:
    x = look.across(side * look.eye_at)
    y = look.eye_y + look.eye_ry + 0.035
    rx = look.eye_rx * 0.95 * narrow
    purple = mix(darker(look.skin, 0.42), (110, 60, 90), 0.3)
    bag = stroke(bend(x - rx, y - 0.012, x + rx, y - 0.012, -0.03), 0.03 + 0.04 * look.wear)
    head.glaze(bag, purple, 0.9 * look.wear)


def _crows_feet(head: Pen, look: Look, side: int, narrow: float) -> None:
    if look.wrinkles <= 0 or (look.turned and side < 0):
        return
    deep = darker(look.skin, 0.5)
    x = look.across(side * look.eye_at) + side * (look.eye_rx * narrow + 0.015)
    for slope in (-0.05, 0.0, 0.05):
        path = bend(x, look.eye_y + slope * 0.4, x + side * 0.085, look.eye_y + slope, 0)
        head.glaze(stroke(path, 0.02), deep, 0.9 * look.wrinkles)


def _pimples(head: Pen, look: Look) -> None:
    amount = float(np.interp(look.person.age, [10, 15, 18, 24], [0, 1, 0.8, 0]))
    if amount <= 0:
        return
    red = mix(darker(look.skin, 0.1), (216, 36, 40), 0.6)
    for dx, dy, size in blotches(look, 9):
        at = on_face(look, np.array([[look.across(0.75 * dx), 0.06 + 0.28 * dy]]))[0]
        r = 0.018 + 0.005 * size
        head.glaze(round_blob(at[0], at[1], r, r), red, 0.85 * amount)


def _late(head: Pen, look: Look) -> None:
    deep = darker(look.skin, 0.45)
    for dx, dy, size in blotches(look, 7):
        x, y = on_face(look, np.array([[look.across(0.8 * dx), -0.1 + 0.32 * dy]]))[0]
        r = 0.014 + 0.008 * size
        head.glaze(round_blob(x, y, r, r), mix(deep, (120, 70, 40), 0.5), 0.7 * look.frail)
    for side in (-1, 1):
        if look.turned and side < 0:
            continue
        x = look.across(0.0) + side * (look.mouth_rx + 0.1)
        path = bend(x, look.mouth_y - 0.06, x + side * 0.01, look.mouth_y + 0.13, 0.0)
        head.glaze(stroke(path, 0.028), deep, 0.8 * look.frail)
