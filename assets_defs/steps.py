"""The expensive steps: which function makes which asset, and what its result depends on."""

from resources import keys
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
    libraries=(),
)
PAINT = Step(
    asset=keys.RAW_PAINTINGS,
    function="likeness.world.tasks:paint",
    libraries=(*PICTURES, "opencv-contrib-python-headless"),
)
INTAKE = Step(
    asset=keys.PAINTINGS,
    function="likeness.images.tasks:intake",
    libraries=(*PICTURES, "imagehash", "scipy"),
)
CLASSES = Step(
    asset=keys.CLASSES,
    function="likeness.images.tasks:classes",
    libraries=PICTURES,
)
TRAIN = Step(
    asset=keys.NETWORK,
    function="likeness.classify.tasks:train",
    libraries=JUDGES,
    gpu=True,
)
JUDGE = TRAIN.model_copy(
    update={"asset": keys.VERDICTS, "function": "likeness.classify.verdicts:judge_all"}
)

WEIGHTS = "likeness/world/weights"
FACE_WEIGHTS = (f"{WEIGHTS}/face/model.safetensors", f"{WEIGHTS}/face/config.json")
READER_WEIGHTS = (f"{WEIGHTS}/reader/model.safetensors", f"{WEIGHTS}/reader/config.json")
CLIP_WEIGHTS = tuple(
    f"{WEIGHTS}/clip/{name}"
    for name in (
        "model.safetensors",
        "config.json",
        "processor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    )
)
FACE_LIBRARIES = (*PICTURES, "deepface", "opencv-contrib-python-headless", "torch")
LIST_PHOTOS = Step(
    asset=keys.RAW_PHOTOS,
    function="likeness.images.inventory:take_inventory",
    libraries=(),
)
TAKE_PHOTOS = Step(
    asset=keys.PHOTOS,
    function="likeness.people.tasks:take_photos",
    libraries=(*PICTURES, "imagehash", "scipy"),
)
FACES = Step(
    asset=keys.FACES,
    function="likeness.faces.tasks:read_faces",
    libraries=FACE_LIBRARIES,
    files=FACE_WEIGHTS,
    gpu=True,
)
VARIETY = Step(
    asset=keys.VARIETY,
    function="likeness.metrics.photos:variety",
    libraries=(*PICTURES, "opencv-contrib-python-headless"),
)
VERIFICATION = Step(
    asset=keys.VERIFICATION,
    function="likeness.metrics.photos:verification",
    libraries=PICTURES,
)
SPLIT_PEOPLE = Step(
    asset=keys.SPLITS,
    function="likeness.people.tasks:split_people",
    libraries=PICTURES,
)
PAIRS = Step(
    asset=keys.PAIRS,
    function="likeness.metrics.experiment:score_pairs",
    libraries=FACE_LIBRARIES,
    files=FACE_WEIGHTS,
    gpu=True,
)
SCORE_IMAGES = Step(
    asset=keys.IMAGE_SCORES,
    function="likeness.metrics.images:score_images",
    libraries=FACE_LIBRARIES,
    files=READER_WEIGHTS,
    gpu=True,
)
SCORE_PAINTER = Step(
    asset=keys.IMAGE_SCORES,
    function="likeness.metrics.painter:score_painter",
    libraries=(*PICTURES, "opencv-contrib-python-headless", "scipy", "torch", "transformers"),
    files=(*READER_WEIGHTS, *CLIP_WEIGHTS),
    gpu=True,
)

REFER = Step(
    asset=keys.BASE_MODEL,
    function="likeness.models.local:model_identity",
    libraries=(),
)
BASELINE = REFER.model_copy(update={"asset": keys.FINETUNED})
MAKE = Step(
    asset=keys.IMAGES,
    function="likeness.generate.tasks:make_images",
    libraries=(*PICTURES, "diffusers", "torch", "transformers"),
    gpu=True,
)

SOURCES_REFERENCE = REFER.model_copy(update={"asset": keys.SOURCES})
LIST_BENCH = Step(
    asset=keys.SOURCES,
    function="likeness.images.inventory:take_inventory",
    libraries=(),
)
SOURCES = Step(
    asset=keys.SOURCES,
    function="likeness.bench.tasks:edit_pairs",
    libraries=(*PICTURES, "opencv-contrib-python-headless", "scipy"),
)
INVERTED_REFERENCE = REFER.model_copy(update={"asset": keys.INVERTED})
INVERT = Step(
    asset=keys.INVERTED,
    function="likeness.edit.inversion:invert_images",
    libraries=MAKE.libraries,
    gpu=True,
)
EDIT = MAKE.model_copy(update={"function": "likeness.edit.tasks:make_edits"})

GUIDANCE = MAKE.model_copy(
    update={
        "asset": keys.GUIDANCE_CLASSES,
        "function": "likeness.generate.guidance_classes:make_classes",
    }
)
PRIOR = MAKE.model_copy(update={"asset": keys.CLASS_PRIOR})
FINETUNE = Step(
    asset=keys.FINETUNED,
    function="likeness.finetune.tasks:finetune",
    libraries=(*FACE_LIBRARIES, "diffusers", "peft", "transformers"),
    files=(*FACE_WEIGHTS, *CLIP_WEIGHTS),
    gpu=True,
)
LEARN = Step(
    asset=keys.FINETUNED,
    function="likeness.finetune.ti_tasks:learn_word",
    libraries=(*MAKE.libraries, "peft"),  # of adapters, where the network is taught behind the word
    files=CLIP_WEIGHTS,
    gpu=True,
)

LEARN_PICTURES = Step(
    asset=keys.FINETUNED,
    function="likeness.edit.learn:learn_pictures",
    libraries=MAKE.libraries,
    gpu=True,
)
EDIT_PAIRS = Step(
    asset=keys.PAIRS,
    function="likeness.metrics.edit_pairs:score_edit_pairs",
    libraries=(*PICTURES, "opencv-contrib-python-headless"),
)
SCORE_EDITS = Step(
    asset=keys.IMAGE_SCORES,
    function="likeness.metrics.edits:score_edits",
    libraries=(
        *PICTURES,
        "opencv-contrib-python-headless",
        "scikit-image",
        "torch",
        "transformers",
    ),
    files=(*READER_WEIGHTS, *CLIP_WEIGHTS),
    gpu=True,
)

ALBUM = Step(
    asset=keys.RAW_PHOTOS,
    function="likeness.people.tasks:paint_album",
    libraries=(*PICTURES, "opencv-contrib-python-headless"),
)
TRAINERS = (*PICTURES, "diffusers", "opencv-contrib-python-headless", "torch", "transformers")
WORLD_BASE = Step(
    asset=keys.WORLD_BASE,
    function="likeness.world.learn.tasks:base",
    libraries=TRAINERS,
    gpu=True,
)
WORLD_CLIP, WORLD_FACE, WORLD_READER = (
    WORLD_BASE.model_copy(
        update={
            "asset": asset,
            "function": "likeness.world.learn.tasks:judge",
            "gpu": False,
        }
    )
    for asset in (keys.WORLD_CLIP, keys.WORLD_FACE, keys.WORLD_READER)
)

STEPS = tuple(one for one in list(globals().values()) if isinstance(one, Step))
