"""The colours that words mean, on clothes and on things alike."""

from likeness.world.canvas import RGB
from likeness.world.description import Colour

PAINT: dict[Colour, RGB] = {
    "red": (214, 34, 38),
    "orange": (246, 138, 24),
    "yellow": (250, 222, 40),
    "green": (38, 150, 62),
    "blue": (38, 82, 208),
    "purple": (124, 46, 166),
    "pink": (252, 152, 196),
    "brown": (112, 68, 38),
    "black": (26, 26, 30),
    "white": (246, 246, 246),
    "gray": (138, 140, 145),
}
