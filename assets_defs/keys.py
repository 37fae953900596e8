"""Asset keys, owners and kinds: the names everything else uses. Imports nothing of the project."""

RAW_PAINTINGS = "painters/raw_paintings"
PAINTINGS = "painters/paintings"
CLASSES = "painters/classes"
NETWORK = "classifier/network"
VERDICTS = "classifier/verdicts"
SUMMARIES = "report/summaries"
GALLERY = "report/gallery"

OWNERS = ["team:likeness"]
