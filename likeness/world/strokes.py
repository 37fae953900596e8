"""Brush strokes: a form (what is where, how lit, running which way) painted by a hand."""

from functools import lru_cache

import numpy as np

from likeness.world.hands import Hand

GRID = 192  # forms are drawn on this grid whatever the picture's side, so that sides agree
BINS = 12  # directions in which bristle marks are kept ready
SPINE = 4  # points along a stroke
BREADTH = np.array([0.6, 1.0, 0.92, 0.5], np.float32)  # of the stroke, at those points
# strokes shrink on small things and keep to their form: per Material, size and firmness
SIZE = np.array([1, 1, 1, 0.9, 1, 1, 0.85, 0.6, 0.5, 0.5, 1, 0.9], np.float32)
FIRM = np.array([0, 0, 0.2, 0.25, 0, 0, 0, 0.85, 0.9, 0.8, 0.75, 0.2], np.float32)
# an outline is drawn where this changes by more than about 1: not around clouds and fields
INK = np.array([0, 0.4, 2.5, 4, 6, 6.3, 8, 11, 14, 16.5, 1.6, 6.6], np.float32)
SUBPIXEL = 4  # binary digits behind the point in OpenCV's polygon coordinates

Array = np.ndarray


def lay(form: Array, hand: Hand, side: int, rng: np.random.Generator) -> Array:
    """Paint ``form`` (GRID x GRID: material, tone -1..1, angle, depth) as side x side RGB uint8.

    The number and the places of strokes do not depend on ``side``: another side gives the same
    picture at another size.
    """
    seen = form.copy()
    facets = _facets(hand.facet_size, rng)
    shift = rng.normal(0.0, hand.facet_contrast, (2, facets.max() + 1)).astype(np.float32)
    seen[..., 1] += shift[0][facets]
    seen[..., 2] = _directions(form, hand, rng) + 0.8 * shift[1][facets]

    canvas = _ground(_coloured(seen[::2, ::2, 0], seen[::2, ::2, 1], hand), side)
    count = int(hand.coverage / (hand.stroke_length * hand.stroke_width))
    _stamp(canvas, seen, hand, 1.0, _even(count, rng), rng)
    small = SIZE[form[..., 0].astype(np.intp)] < 0.55
    fine = _crowded(_edges(form) + 5 * small, count * 2 // 5, rng)
    _stamp(canvas, seen, hand, 0.62, fine, rng)
    _outline(canvas, form, hand, rng)
    return _surface(canvas, seen[..., 2], hand, rng)


def smooth_noise(cells: int, rng: np.random.Generator) -> Array:
    """GRID x GRID float32 noise that changes over 1/cells of the side, about unit variance."""
    import cv2

    knots = rng.normal(0.0, 1.0, (cells, cells)).astype(np.float32)
    return cv2.resize(knots, (GRID, GRID), interpolation=cv2.INTER_CUBIC)


def _directions(form: Array, hand: Hand, rng: np.random.Generator) -> Array:
    # a stroke has no arrow: angles are mixed as doubled angles
    own, habit = 2 * form[..., 2], 2 * hand.direction
    follow = np.maximum(hand.follow, FIRM[form[..., 0].astype(np.intp)])
    along = follow * np.cos(own) + (1 - follow) * np.cos(habit)
    across = follow * np.sin(own) + (1 - follow) * np.sin(habit)
    return np.arctan2(across, along) / 2 + hand.swirl * smooth_noise(5, rng)


def _facets(size: float, rng: np.random.Generator) -> Array:
    import cv2

    count = max(4, int(1 / size**2))
    mask = np.full((GRID, GRID), 255, np.uint8)
    mask[rng.integers(0, GRID, count), rng.integers(0, GRID, count)] = 0
    cells = cv2.distanceTransformWithLabels(mask, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    return cells[1]


def _coloured(material: Array, tone: Array, hand: Hand) -> Array:
    base = np.array(hand.palette, np.float32)[material.astype(np.intp)]
    pull = np.clip(tone, -1, 1)[..., None] * hand.contrast
    light, shade = np.array(hand.light, np.float32), np.array(hand.shade, np.float32)
    return base + np.maximum(pull, 0) * (light - base) + np.maximum(-pull, 0) * (shade - base)


def _ground(colours: Array, side: int) -> Array:
    import cv2

    thin = cv2.GaussianBlur(np.clip(colours, 0, 255).astype(np.uint8), (0, 0), 0.8)
    canvas = np.zeros((side, side, 4), np.uint8)  # the fourth plane is the height of the paint
    canvas[..., :3] = cv2.resize(thin, (side, side), interpolation=cv2.INTER_LINEAR)
    return canvas


def _even(count: int, rng: np.random.Generator) -> Array:
    rows = max(1, int(np.sqrt(count)))
    cells = np.stack(np.meshgrid(np.arange(rows), np.arange(rows)), -1).reshape(-1, 2)
    return ((cells + rng.random(cells.shape)) / rows).astype(np.float32)


def _edges(form: Array) -> Array:
    import cv2

    sight = np.ascontiguousarray(form[..., 0] + 1.5 * form[..., 1])
    steep = cv2.morphologyEx(sight, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.minimum(steep, 2.0)


def _crowded(weight: Array, count: int, rng: np.random.Generator) -> Array:
    total = np.cumsum(weight.ravel() + 0.05, dtype=np.float64)
    spots = np.searchsorted(total, rng.random(count) * total[-1])
    rows, columns = np.divmod(spots, GRID)
    return ((np.stack([columns, rows], -1) + rng.random((count, 2))) / GRID).astype(np.float32)


def _look_up(plane: Array, places: Array) -> Array:
    x, y = np.clip((places * GRID).astype(np.intp), 0, GRID - 1).T
    return plane[y, x]


def _stamp(
    canvas: Array,
    form: Array,
    hand: Hand,
    scale: float,
    places: Array,
    rng: np.random.Generator,
) -> None:
    count = len(places)
    material = _look_up(form[..., 0], places)
    colours = _coloured(material, _look_up(form[..., 1], places), hand)
    colours += rng.normal(0.0, hand.variety * 0.7, (count, 1))
    colours += rng.normal(0.0, hand.variety * 0.6, (count, 3))
    scales = scale * SIZE[material.astype(np.intp)]
    lengths = hand.stroke_length * scales * np.exp(rng.normal(0.0, 0.22, count))
    widths = hand.stroke_width * scales * np.exp(rng.normal(0.0, 0.18, count))
    own = rng.normal(0.0, hand.spread, count)
    heights = rng.integers(40, 256, (count, 1))
    # far things first, but loosely: neighbours overlap as they would on an easel
    order = np.argsort(_look_up(form[..., 3], places) + rng.normal(0.0, 0.6, count), kind="stable")
    ribbons = _ribbons(places, form[..., 2], own, lengths, widths)
    _draw(canvas, ribbons[order], np.hstack([colours, heights])[order])


def _outline(canvas: Array, form: Array, hand: Hand, rng: np.random.Generator) -> None:
    """Thin broken lines where one material meets another, half of them the colour beneath."""
    import cv2

    count = int(1000 * hand.contour)
    if count == 0:
        return
    material = form[..., 0].astype(np.intp)
    sight = cv2.GaussianBlur(INK[material] + 0.6 * form[..., 1], (0, 0), 1.0)
    gx, gy = cv2.Sobel(sight, cv2.CV_32F, 1, 0), cv2.Sobel(sight, cv2.CV_32F, 0, 1)
    steep = np.hypot(gx, gy)
    places = _crowded(np.where(steep > 3.2, 1000.0, 0.0), count, rng)
    lengths = 0.03 * np.exp(rng.normal(0.0, 0.3, count))
    widths = 0.0036 * np.exp(rng.normal(0.0, 0.35, count))
    own = rng.normal(0.0, 0.06, count)
    ribbons = _ribbons(places, np.arctan2(gy, gx) + np.pi / 2, own, lengths, widths)
    beneath = _coloured(_look_up(form[..., 0], places), _look_up(form[..., 1], places), hand)
    mixed = rng.uniform(0.1, 0.6, (count, 1))
    colours = mixed * beneath + (1 - mixed) * np.array(hand.outline)
    _draw(canvas, ribbons, np.hstack([colours, np.full((count, 1), 120)]))


def _ribbons(places: Array, angle: Array, own: Array, lengths: Array, widths: Array) -> Array:
    """Strokes that run with ``angle`` -> count x 2*SPINE x 2 outlines in fractions of the side."""
    step = (lengths / (SPINE - 1))[:, None]
    heading = _look_up(angle, places) + own
    spot = places - step * 1.5 * np.stack([np.cos(heading), np.sin(heading)], -1)
    spine, across = [], []
    for _ in range(SPINE):
        wanted = _look_up(angle, spot) + own
        bend = (wanted - heading + np.pi / 2) % np.pi - np.pi / 2
        heading = heading + np.clip(bend, -0.35, 0.35)  # a wrist turns only so fast
        along = np.stack([np.cos(heading), np.sin(heading)], -1)
        spine.append(spot)
        across.append(np.stack([-along[:, 1], along[:, 0]], -1))
        spot = spot + step * along
    middle = np.stack(spine, 1)
    reach = np.stack(across, 1) * (widths[:, None] * BREADTH / 2)[..., None]
    return np.concatenate([middle + reach, (middle - reach)[:, ::-1]], 1)


def _draw(canvas: Array, ribbons: Array, colours: Array) -> None:
    import cv2

    scale = canvas.shape[0] * 2**SUBPIXEL
    outlines = np.round(ribbons * scale).astype(np.int32)
    paints = np.clip(colours, 0, 255).tolist()
    for outline, paint in zip(outlines, paints, strict=True):
        cv2.fillConvexPoly(canvas, outline, paint, cv2.LINE_AA, SUBPIXEL)


@lru_cache(maxsize=2)
def _bristles(side: int) -> Array:
    """BINS x side x side float32 noise, each combed in one direction, unit variance at 512."""
    import cv2

    full = 512
    noise = np.random.default_rng(7).normal(0.0, 1.0, (full, full)).astype(np.float32)
    combed = []
    for number in range(BINS):
        kernel = np.zeros((15, 15), np.float32)
        turn = np.pi * number / BINS
        reach = np.round(np.array([np.cos(turn), np.sin(turn)]) * 7 * 16).astype(int)
        centre = np.array([7, 7]) * 16
        cv2.line(
            kernel, tuple(map(int, centre - reach)), tuple(map(int, centre + reach)), 1.0, 1, 8, 4
        )
        marks = cv2.filter2D(noise, -1, kernel / kernel.sum(), borderType=cv2.BORDER_WRAP)
        combed.append(cv2.resize(marks / marks.std(), (side, side), interpolation=cv2.INTER_AREA))
    return np.stack(combed)


@lru_cache(maxsize=2)
def _weave(side: int) -> Array:
    import cv2

    thread = np.sin(np.arange(512) * np.pi / 2.5, dtype=np.float32)
    return cv2.resize(thread[:, None] * thread[None], (side, side), interpolation=cv2.INTER_AREA)


def _surface(canvas: Array, angle: Array, hand: Hand, rng: np.random.Generator) -> Array:
    """Light on thick paint: bristle marks along strokes, edges of strokes, and the canvas."""
    import cv2

    side = canvas.shape[0]
    turned = (np.round(angle / np.pi * BINS).astype(np.int32) % BINS).astype(np.uint8)
    bins = cv2.resize(turned, (side, side), interpolation=cv2.INTER_NEAREST)
    shift = rng.integers(0, side, 2)
    rows = (np.arange(side) + int(shift[0])) % side
    columns = (np.arange(side) + int(shift[1])) % side
    marks = _bristles(side)[bins, rows[:, None], columns[None]]
    height = cv2.GaussianBlur(canvas[..., 3].astype(np.float32), (0, 0), max(side / 512, 0.4))
    slope = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8) + cv2.Sobel(
        height, cv2.CV_32F, 0, 1, scale=1 / 8
    )
    glance = np.clip(slope * (side / 512) ** 0.5, -40, 40)
    gain = 1 + hand.relief * (0.05 * marks + 0.006 * glance) + 0.05 * hand.grain * _weave(side)
    return np.clip(canvas[..., :3] * gain[..., None], 0, 255).astype(np.uint8)


def expose(picture: Array, rng: np.random.Generator) -> Array:
    """Photograph a painting: brightness and contrast are drawn, and so say nothing of the painter.

    RGB in 0..255 of any type -> uint8 RGB; the mean of grey is near 135, its deviation near 41.
    """
    light, contrast = rng.normal(135.0, 12.0), rng.normal(41.0, 5.0)
    pixels = picture.astype(np.float32)
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    scaled = (pixels - grey.mean()) * (contrast / max(float(grey.std()), 1.0)) + light
    return np.clip(scaled, 0, 255).astype(np.uint8)
