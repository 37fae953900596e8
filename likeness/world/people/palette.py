"""The colours of people: skin, hair, eyes, lips and trousers."""

import numpy as np

from likeness.world.canvas import RGB, mix
from likeness.world.description import HairColour, Person, grayness, hair_colour

HAIR: dict[HairColour, tuple[RGB, RGB]] = {
    # the two ends of what goes by one word
    "black": ((50, 38, 36), (16, 14, 20)),
    "brown": ((138, 84, 42), (96, 56, 28)),
    "blonde": ((250, 228, 140), (226, 184, 84)),
    "red": ((226, 104, 34), (184, 62, 18)),
    "gray": ((178, 180, 188), (232, 234, 240)),
}
SKIN = (
    (-1.0, (252, 222, 208)),
    (-0.4, (240, 194, 164)),
    (0.1, (214, 158, 114)),
    (0.55, (164, 108, 68)),
    (1.0, (102, 64, 44)),
)
IRIS = (
    (-1.0, (112, 54, 14)),
    (-0.5, (206, 136, 16)),
    (0.0, (38, 150, 52)),
    (0.5, (24, 104, 230)),
    (1.0, (134, 152, 172)),
)
HEADWEAR: tuple[RGB, ...] = (
    (30, 60, 175),
    (16, 132, 72),
    (122, 36, 156),
    (212, 24, 116),
    (0, 150, 165),
    (150, 210, 30),
)
TROUSERS: tuple[RGB, ...] = (
    (40, 52, 96),
    (70, 72, 80),
    (150, 128, 92),
    (36, 36, 42),
    (84, 100, 70),
)
WHITE: RGB = (250, 250, 250)
DARK: RGB = (24, 20, 24)
GOLD: RGB = (248, 196, 40)


def _along(ramp: tuple[tuple[float, RGB], ...], value: float) -> RGB:
    places = [place for place, _ in ramp]
    r, g, b = (np.interp(value, places, [colour[i] for _, colour in ramp]) for i in range(3))
    return float(r), float(g), float(b)


def skin_colour(person: Person) -> RGB:
    """By the traits; rosier in children, paler and greyer in the old."""
    who = person.identity
    base = _along(SKIN, who.trait("skin"))
    warmth = who.trait("warmth")
    tint = (-16.0, 8.0, -26.0) if warmth > 0 else (8.0, -14.0, 2.0)
    # The same tint would shout on dark skin.
    strength = abs(warmth) * sum(base) / 540
    r, g, b = (channel + strength * add for channel, add in zip(base, tint, strict=True))
    tone: RGB = (min(r, 255.0), min(g, 255.0), min(b, 255.0))
    rosy = float(np.interp(person.age, [0, 18, 40], [0.16, 0.05, 0]))
    ashen = float(np.interp(person.age, [30, 60, 90], [0, 0.1, 0.34]))
    return mix(mix(tone, (244, 120, 120), rosy), (206, 196, 172), ashen)


def hair_rgb(person: Person) -> RGB:
    """What the word for the hair says, with a shade of its own; blends into gray with the years."""
    who = person.identity
    gray = grayness(person)
    young = Person(who, 20.0, person.framing, person.spot, person.hair_length)
    light, deep = HAIR[hair_colour(young)]
    colour = mix(light, deep, (who.trait("hair_dark") * 7) % 1)
    # Steeper than the share itself: at half of it the word changes, and the eye should see it.
    share = float(np.interp(gray, [0, 0.35, 0.65, 1], [0, 0.22, 0.78, 1]))
    white = float(np.interp(person.age, [58, 88], [0, 1]))
    return mix(colour, mix(*HAIR["gray"], white), share)


def iris_colour(person: Person) -> RGB:
    """Brown, amber, green, blue or gray along the trait."""
    return _along(IRIS, person.identity.trait("eye_hue"))


def lip_colour(person: Person, skin: RGB) -> RGB:
    """Pale to deep red; women's redder, old people's paler."""
    who = person.identity
    deep = (who.trait("lip_hue") + 1) / 2
    red = mix((232, 140, 134), (178, 8, 44), deep)
    strength = 0.42 + 0.42 * deep
    if who.sex == "female":
        strength += float(np.interp(person.age, [10, 18], [0, 0.2]))
    return mix(skin, red, strength * float(np.interp(person.age, [50, 90], [1, 0.6])))
