"""Asset keys, owners and kinds: the names everything else uses. Imports nothing of the project."""

RAW_PAINTINGS = "painters/raw_paintings"
PAINTINGS = "painters/paintings"
CLASSES = "painters/classes"
NETWORK = "classifier/network"
VERDICTS = "classifier/verdicts"
BASE_MODEL = "models/base"
FINETUNED = "models/finetuned"
IMAGES = "images/made"
WORLD_BASE = "world/base"
WORLD_CLIP = "world/clip"
WORLD_FACE = "world/face"
WORLD_READER = "world/reader"
SUMMARIES = "report/summaries"
GALLERY = "report/gallery"

OWNERS = ["team:likeness"]
