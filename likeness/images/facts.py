"""What the table of an image set says of a picture's file."""

from pathlib import Path

from PIL import Image

from likeness.digests import sha256_file
from likeness.images import image_set

ONE_COLOUR = "one colour"


def facts_of(folder: Path, name: str) -> dict[str, object]:
    """Name, digest, size and status of a picture that a model made; flat ones are rejected."""
    file = folder / name
    sha256 = sha256_file(file)
    with Image.open(file) as picture:
        width, height = picture.size
        # Black ones come from overflow in half precision.
        flat = picture.convert("RGB").getcolors(1) is not None
    return {
        "image_id": sha256[:16],
        "file": name,
        "sha256": sha256,
        "width": width,
        "height": height,
        "status": image_set.REJECTED if flat else image_set.ACCEPTED,
        "reason": ONE_COLOUR if flat else None,
    }
