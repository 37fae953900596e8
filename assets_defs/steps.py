"""The expensive steps: which function makes which asset, and what its result depends on."""

from assets_defs import keys
from resources.step import Step

PICTURES = ("pillow", "numpy")
JUDGES = (
    *PICTURES,
    "keras",
    "opencv-contrib-python-headless",
    "scikit-image",
    "scikit-learn",
    "scipy",
    "skops",
    "tensorflow",
)

LIST = Step(
    asset=keys.RAW_PAINTINGS,
    function="likeness.images.raw:list_raw",
    modules=("likeness.images.hashing", "likeness.images.inventory"),
    libraries=(),
)
PAINT = Step(
    asset=keys.RAW_PAINTINGS,
    function="likeness.world.tasks:paint",
    modules=(
        "likeness.world.landscapes",
        "likeness.world.strokes",
        "likeness.world.hands",
        "likeness.world.motifs",
        "likeness.world.scenes",
        "likeness.images.hashing",
        "likeness.images.inventory",
    ),
    libraries=(*PICTURES, "opencv-contrib-python-headless"),
)
INTAKE = Step(
    asset=keys.PAINTINGS,
    function="likeness.images.tasks:intake",
    modules=(
        "likeness.images.decode",
        "likeness.images.equalize",
        "likeness.images.hashing",
        "likeness.images.image_set",
        "likeness.images.intake",
        "likeness.images.inventory",
        "likeness.images.prepare",
        "likeness.images.sheets",
    ),
    libraries=(*PICTURES, "imagehash", "scipy"),
)
CLASSES = Step(
    asset=keys.CLASSES,
    function="likeness.images.tasks:classes",
    modules=(
        "likeness.images.decode",
        "likeness.images.given",
        "likeness.images.hashing",
        "likeness.images.image_set",
        "likeness.images.sheets",
        "likeness.images.splits",
    ),
    libraries=PICTURES,
)
TRAIN = Step(
    asset=keys.NETWORK,
    function="likeness.classify.tasks:train",
    modules=(
        "likeness.classify.batches",
        "likeness.classify.capture",
        "likeness.classify.curves",
        "likeness.classify.keras_judge",
        "likeness.classify.networks",
        "likeness.classify.pictures",
        "likeness.classify.probe_judge",
        "likeness.classify.rounds",
        "likeness.classify.statistics",
        "likeness.images.image_set",
        "likeness.images.splits",
        "likeness.images.tiles",
    ),
    libraries=JUDGES,
    gpu=True,
)
JUDGE = TRAIN.model_copy(
    update={"asset": keys.VERDICTS, "function": "likeness.classify.tasks:judge"}
)

STEPS = (LIST, PAINT, INTAKE, CLASSES, TRAIN, JUDGE)
