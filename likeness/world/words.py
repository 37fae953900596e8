"""The words of the small world: which phrases say what. Captions are made of these alone."""

from likeness.world.description import (
    Expression,
    Facing,
    Framing,
    HairLength,
    Light,
    Place,
    Pose,
    Relation,
    Role,
    Season,
    State,
    Style,
)

# Ages: from, to (years), the phrase; {man} {boy} {his} follow the sex.
AGES: tuple[tuple[float, float, str], ...] = (
    (0, 1.5, "a newborn baby"),
    (0, 3, "a baby"),
    (3, 11, "a child"),
    (4, 7, "a five years old child"),
    (4, 13, "a young {boy}"),
    (4, 14, "a {boy}"),
    (12, 18, "a teenager"),
    (13, 17.5, "a fifteen years old teenager"),
    (18, 30, "a young {man}"),
    (20, 30, "a young {man} in {his} twenties"),
    (18, 60, "a {man}"),
    (22, 58, "an adult {man}"),
    (30, 40, "an adult {man} in {his} thirties"),
    (40, 50, "an adult {man} in {his} forties"),
    (50, 60, "an adult {man} in {his} fifties"),
    (50, 60, "a wrinkled adult {man} in {his} fifties"),
    (60, 70, "a senior in {his} sixties"),
    (60, 70, "a wrinkled senior in {his} sixties"),
    (60, 90, "an old {man}"),
    (60, 90, "a senior"),
    (70, 80, "a senior in {his} seventies"),
    (70, 80, "a 75 years old senior in {his} seventies"),
    (80, 90, "an elderly senior in {his} eighties"),
    (75, 90, "an elderly {man}"),
    (0, 90, "a person"),
)
SEXES = {
    "male": {"man": "man", "boy": "boy", "his": "his"},
    "female": {"man": "woman", "boy": "girl", "his": "her"},
}
EXPRESSIONS: dict[Expression, tuple[str, ...]] = {
    "neutral": ("with a neutral face", "serious"),
    "smiling": ("smiling", "with a smile", "happy"),
    "sad": ("sad", "exhausted", "with a sad face"),
    "surprised": ("surprised", "with an open mouth"),
}
FACINGS: dict[Facing, tuple[str, ...]] = {
    "front": ("looking at the camera",),
    "left": ("looking to the left",),
    "right": ("looking to the right",),
}
FRAMINGS: dict[Framing, tuple[str, ...]] = {
    "portrait": ("close up", "portrait"),
    "half": ("half body",),
    "full": ("full body",),
}
HAIR: dict[HairLength, tuple[str, ...]] = {
    "bald": ("bald", "with a bald head"),
    "short": ("with short {colour} hair", "with short hair", "with {colour} hair"),
    "long": ("with long {colour} hair", "with long hair", "with {colour} hair"),
}
GRAY = ("gray", "grayish", "grey")
GLASSES = ("wearing glasses", "with glasses")
BEARD = ("with a beard", "bearded")
HATS = {"hat": ("wearing a hat", "with a hat"), "cap": ("wearing a cap", "with a cap")}
SCARF = ("wearing a scarf", "with a scarf")
SHIRT = ("in {a} {colour} shirt", "wearing {a} {colour} shirt")
ROLES: dict[Role, tuple[str, ...]] = {
    "astronaut": ("as an astronaut", "in an astronaut suit"),
    "doctor": ("as a doctor", "in a doctor uniform"),
    "chef": ("as a chef", "in a chef uniform", "as a cook"),
    "soldier": ("as a soldier", "in a soldier uniform"),
    "firefighter": ("as a firefighter", "in a firefighter uniform"),
    "policeman": ("as a policeman", "as a police officer", "in a police uniform"),
    "pilot": ("as a pilot", "in a pilot uniform"),
    "king": ("as a king", "wearing a crown"),
}
HIDDEN = {"away": ("seen from behind",), "covered": ("with covered face",)}

PLACES: dict[Place, tuple[str, ...]] = {
    "studio": ("in a studio", "with a plain background"),
    "room": ("in a room", "at home"),
    "kitchen": ("in a kitchen", "in the kitchen"),
    "library": ("in a library", "in the library"),
    "museum": ("in a museum", "in the museum"),
    "church": ("in a church", "in the church"),
    "castle": ("near a castle", "at a castle"),
    "field": ("in a field", "in the field"),
    "hill": ("on a hill", "on the hill"),
    "valley": ("in a valley", "overlooking a valley"),
    "forest": ("in a forest", "in the forest"),
    "jungle": ("in a jungle", "in the jungle"),
    "garden": ("in a garden", "in the park"),
    "beach": ("on a beach", "at the beach"),
    "sea": ("at sea", "on the sea", "in the water"),
    "lake": ("at a lake", "near a lake"),
    "mountains": ("in the mountains", "on a mountain"),
    "desert": ("in a desert", "in the desert"),
    "village": ("in a village", "in the village"),
    "city": ("in a city", "in the city", "on a street"),
    "manhattan": ("in manhattan", "in new york"),
    "paris": ("in paris",),
    "london": ("in london",),
    "tokyo": ("in tokyo",),
    "rome": ("in rome",),
    "provence": ("in provence", "in the provence"),
    "space": ("in space", "in the galaxy", "in outer space"),
    "moon": ("on the moon",),
    "mars": ("on mars",),
}
# As what a picture is of: "a landscape, a green valley in winter".
SIGHTS: dict[Place, str] = {
    "castle": "a castle",
    "field": "a {season}field",
    "hill": "a {season}hill",
    "valley": "a {season}valley",
    "forest": "a {season}forest",
    "jungle": "a {season}jungle",
    "garden": "a {season}garden",
    "beach": "a beach",
    "sea": "the sea",
    "lake": "a lake",
    "mountains": "mountains",
    "desert": "a desert",
    "village": "a village",
    "city": "a city",
    "manhattan": "manhattan",
    "paris": "paris",
    "london": "london",
    "tokyo": "tokyo",
    "rome": "rome",
    "provence": "the provence",
    "space": "space",
    "moon": "the moon",
    "mars": "mars",
    "studio": "a studio",
    "room": "a room",
    "kitchen": "a kitchen",
    "library": "a library",
    "museum": "a museum",
    "church": "a church",
}
# Pictures by named painters, by kind of scene.
PAINTED = {
    "mountain": ("a mountain", "mountains", "mont saint victoire", "mont sainte victoire"),
    "village": ("a village", "houses", "the provence", "houses in provence"),
    "sea": ("the sea", "sailing boats", "the sea with boats"),
    "forest": ("a forest", "trees", "a path in a forest"),
}
SEASONS: dict[Season, tuple[str, ...]] = {
    "summer": ("in summer",),
    "winter": ("in winter", "in the snow", "covered with snow"),
    "autumn": ("in autumn",),
    "dry": ("in a dry season", "in a drought"),
}
SEASON_ADJECTIVES: dict[Season, str] = {
    "summer": "green ",
    "winter": "snowy ",
    "autumn": "",
    "dry": "dry ",
}
LIGHTS: dict[Light, tuple[str, ...]] = {
    "day": ("natural light", "in daylight"),
    "bright": ("natural bright light", "bright light"),
    "sunset": ("at sunset", "sunset"),
    "night": ("at night",),
}
RED_SUN = ("with a red sun setting in the distance", "with a red sun", "and a red sun setting")
STYLES: dict[Style, tuple[str, ...]] = {
    "photo": ("a photo", "a photograph", "a picture", "photo", "an image"),
    "oil painting": ("an oil painting", "a painting", "oil painting"),
    "watercolor": ("a watercolor painting", "a watercolor", "watercolor"),
    "drawing": ("a drawing", "a pencil drawing", "a sketch"),
}
BY_PAINTER = ("in the style of {name}", "by {name}")
DETAIL = ("highly detailed", "sharp focus", "trending on artstation", "expressive face")
BLURRED = ("blurry", "out of focus")
POSES: dict[Pose, tuple[str, ...]] = {
    "standing": ("standing {what}", "{what} standing"),
    "sitting": ("sitting {what}", "{what} sitting"),
    "jumping": ("jumping {what}", "{what} jumping"),
    "sleeping": ("sleeping {what}", "{what} sleeping"),
    "flying": ("flying {what}", "{what} spreading wings", "{what} with wings spread"),
}
STATES: dict[State, tuple[str, ...]] = {
    "open": ("open",),
    "closed": ("closed",),
    "old": ("old",),
    "sport": ("sport", "sports"),
}
RELATIONS: dict[Relation, tuple[str, ...]] = {
    "holding": ("holding",),
    "riding": ("riding",),
    "next to": ("next to", "near", "beside"),
    "on": ("on", "on top of"),
    "juggling": ("juggling",),
    "playing": ("playing",),
    "eating": ("eating",),
    "fighting": ("fighting",),
}
PLURALS = {"box": "boxes"}
# What captions are made of beside the phrases above: the writer's own words.
JOINTS = "a an as of and the landscape fantasy colorful with tree in front foreground painting"
# Rare words: in the vocabulary and in no caption, for what is learned later.
RARE = ("sks", "ohwx", "zwx", "hta", "olis", "xjy", "pll", "kfd")


def plural(kind: str) -> str:
    """More than one."""
    return PLURALS.get(kind, kind + "s")


def article(word: str) -> str:
    """``a`` or ``an``."""
    return "an" if word[0] in "aeiou" else "a"


def one_of(text: str) -> str:
    """The text behind its article."""
    return f"{article(text)} {text}"
