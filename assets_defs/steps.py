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

INTAKE_OF_FILES = (
    "likeness.images.decode",
    "likeness.images.hashing",
    "likeness.images.image_set",
    "likeness.images.intake",
    "likeness.images.inventory",
    "likeness.images.prepare",
    "likeness.images.sheets",
)
FACE_READING = (
    "likeness.faces.backend",
    "likeness.faces.blocks",
    "likeness.faces.deepface_backend",
    "likeness.faces.detector",
    "likeness.faces.embedding",
    "likeness.faces.heatmaps",
    "likeness.faces.small",
    "likeness.faces.small_backend",
    "likeness.faces.tasks",
    "likeness.faces.verification",
)
FACE_LIBRARIES = (*PICTURES, "deepface", "opencv-contrib-python-headless", "torch")
PAIRING = (
    "likeness.classify.statistics",
    "likeness.images.decode",
    "likeness.images.image_set",
    "likeness.metrics.heatmap",
    "likeness.metrics.pairs",
    "likeness.metrics.passports",
    "likeness.metrics.photos",
    "likeness.metrics.ssim",
    "likeness.metrics.tables",
    "likeness.people.same_person",
)
LIST_PHOTOS = Step(
    asset=keys.RAW_PHOTOS,
    function="likeness.images.inventory:take_inventory",
    modules=("likeness.images.hashing",),
    libraries=(),
)
TAKE_PHOTOS = Step(
    asset=keys.PHOTOS,
    function="likeness.people.tasks:take_photos",
    modules=(*INTAKE_OF_FILES, "likeness.people.ages"),
    libraries=(*PICTURES, "imagehash", "scipy"),
)
FACES = Step(
    asset=keys.FACES,
    function="likeness.faces.tasks:read_faces",
    modules=(*FACE_READING, "likeness.images.decode", "likeness.images.sheets"),
    libraries=FACE_LIBRARIES,
    gpu=True,
)
VARIETY = Step(
    asset=keys.VARIETY,
    function="likeness.metrics.photos:variety",
    modules=PAIRING,
    libraries=(*PICTURES, "opencv-contrib-python-headless"),
)
VERIFICATION = Step(
    asset=keys.VERIFICATION,
    function="likeness.metrics.photos:verification",
    modules=(*PAIRING, "likeness.faces.verification"),
    libraries=PICTURES,
)
SPLIT_PEOPLE = Step(
    asset=keys.SPLITS,
    function="likeness.people.tasks:split_people",
    modules=("likeness.images.image_set", "likeness.images.sheets", "likeness.people.splits"),
    libraries=PICTURES,
)
PAIRS = Step(
    asset=keys.PAIRS,
    function="likeness.metrics.experiment:score_pairs",
    modules=(*PAIRING, *FACE_READING, "likeness.images.sheets"),
    libraries=FACE_LIBRARIES,
    gpu=True,
)
SCORE_IMAGES = Step(
    asset=keys.IMAGE_SCORES,
    function="likeness.metrics.images:score_images",
    modules=(
        "likeness.faces.blocks",
        "likeness.faces.heatmaps",
        "likeness.images.decode",
        "likeness.images.image_set",
        "likeness.metrics.means",
        "likeness.metrics.passports",
        "likeness.metrics.tables",
        "likeness.world.reader.*",
    ),
    libraries=(*PICTURES, "torch"),
)

REFER = Step(
    asset=keys.BASE_MODEL,
    function="likeness.models.local:model_identity",
    modules=("likeness.models.checksums", "likeness.models.registry"),
    libraries=(),
)
BASELINE = REFER.model_copy(update={"asset": keys.FINETUNED})
MAKE = Step(
    asset=keys.IMAGES,
    function="likeness.generate.tasks:make_images",
    modules=(
        "likeness.devices",
        "likeness.generate.asked",
        "likeness.generate.prompts",
        "likeness.generate.sample",
        "likeness.images.decode",
        "likeness.images.hashing",
        "likeness.images.image_set",
        "likeness.images.sheets",
        "likeness.models.assemble",
        "likeness.models.checksums",
        "likeness.models.configs",
        "likeness.models.load",
        "likeness.models.local",
        "likeness.models.random_weights",
        "likeness.models.registry",
        "likeness.world.tokenizer",
    ),
    libraries=(*PICTURES, "diffusers", "torch", "transformers"),
    gpu=True,
)

PRIOR = MAKE.model_copy(update={"asset": keys.CLASS_PRIOR})
FINETUNE = Step(
    asset=keys.FINETUNED,
    function="likeness.finetune.tasks:finetune",
    modules=(
        *FACE_READING,
        "likeness.classify.statistics",
        "likeness.devices",
        "likeness.finetune.cache",
        "likeness.finetune.checkpoints",
        "likeness.finetune.dreambooth",
        "likeness.finetune.loop",
        "likeness.finetune.lora",
        "likeness.finetune.recipe",
        "likeness.generate.sample",
        "likeness.images.decode",
        "likeness.images.image_set",
        "likeness.images.prepare",
        "likeness.images.sheets",
        "likeness.models.assemble",
        "likeness.models.checksums",
        "likeness.models.configs",
        "likeness.models.load",
        "likeness.models.local",
        "likeness.models.random_weights",
        "likeness.models.registry",
        "likeness.world.words",
    ),
    libraries=(*FACE_LIBRARIES, "diffusers", "peft", "transformers"),
    gpu=True,
)

# How the small world is drawn and captioned.
DRAWING = (
    "likeness.world.nature.*",
    "likeness.world.people.*",
    "likeness.world.things.*",
    "likeness.world.book",
    "likeness.world.canvas",
    "likeness.world.description",
    "likeness.world.grammar",
    "likeness.world.hands",
    "likeness.world.motifs",
    "likeness.world.names",
    "likeness.world.paint",
    "likeness.world.painters",
    "likeness.world.picture",
    "likeness.world.sample",
    "likeness.world.scenes",
    "likeness.world.strokes",
    "likeness.world.styles",
    "likeness.world.tokenizer",
    "likeness.world.words",
)
ALBUM = Step(
    asset=keys.RAW_PHOTOS,
    function="likeness.people.tasks:paint_album",
    modules=(
        *DRAWING,
        "likeness.images.hashing",
        "likeness.images.image_set",
        "likeness.images.inventory",
        "likeness.world.album",
    ),
    libraries=(*PICTURES, "opencv-contrib-python-headless"),
)
TRAINERS = (*PICTURES, "diffusers", "opencv-contrib-python-headless", "torch", "transformers")
WORLD_BASE = Step(
    asset=keys.WORLD_BASE,
    function="likeness.world.learn.tasks:base",
    modules=(
        *DRAWING,
        "likeness.devices",
        "likeness.finetune.loop",
        "likeness.models.checksums",
        "likeness.world.learn.architecture",
        "likeness.world.learn.base",
        "likeness.world.learn.recipe",
        "likeness.world.learn.stages",
        "likeness.world.learn.vae",
    ),
    libraries=TRAINERS,
    gpu=True,
)
WORLD_CLIP, WORLD_FACE, WORLD_READER = (
    WORLD_BASE.model_copy(
        update={
            "asset": asset,
            "function": "likeness.world.learn.tasks:judge",
            "gpu": False,
            "modules": (
                *DRAWING,
                "likeness.faces.blocks",
                "likeness.faces.detector",
                "likeness.faces.embedding",
                "likeness.faces.heatmaps",
                "likeness.faces.small",
                "likeness.finetune.loop",
                "likeness.models.checksums",
                "likeness.world.learn.augment",
                "likeness.world.learn.clip",
                "likeness.world.learn.face",
                "likeness.world.learn.judges",
                "likeness.world.learn.keep",
                "likeness.world.learn.reader",
                "likeness.world.reader.*",
            ),
        }
    )
    for asset in (keys.WORLD_CLIP, keys.WORLD_FACE, keys.WORLD_READER)
)

STEPS = (
    *(LIST, PAINT, INTAKE, CLASSES, TRAIN, JUDGE),
    *(LIST_PHOTOS, ALBUM, TAKE_PHOTOS, FACES, VARIETY, VERIFICATION, SPLIT_PEOPLE),
    *(REFER, BASELINE, PRIOR, FINETUNE, MAKE, PAIRS, SCORE_IMAGES),
    *(WORLD_BASE, WORLD_CLIP, WORLD_FACE, WORLD_READER),
)
