"""Sentences in which a word is learned; ``{}`` is where it stands.

PUBLISHED are those of Textual Inversion (Gal et al. 2022, after CLIP's prompts for ImageNet); a
sentence that is there twice was drawn twice as often. PLAIN ones are for the small world, which
knows every word of them. Of the published ones it does not know: clean, cool, cropped, dark, dirty,
good, large, my, nice, one, rendering, rendition, small, weird.
"""

from typing import Literal

Property = Literal["object", "style"]

PUBLISHED: dict[Property, tuple[str, ...]] = {
    "object": (
        "a photo of a {}",
        "a rendering of a {}",
        "a cropped photo of the {}",
        "the photo of a {}",
        "a photo of a clean {}",
        "a photo of a dirty {}",
        "a dark photo of the {}",
        "a photo of my {}",
        "a photo of the cool {}",
        "a close-up photo of a {}",
        "a bright photo of the {}",
        "a cropped photo of a {}",
        "a photo of the {}",
        "a good photo of the {}",
        "a photo of one {}",
        "a close-up photo of the {}",
        "a rendition of the {}",
        "a photo of the clean {}",
        "a rendition of a {}",
        "a photo of a nice {}",
        "a good photo of a {}",
        "a photo of the nice {}",
        "a photo of the small {}",
        "a photo of the weird {}",
        "a photo of the large {}",
        "a photo of a cool {}",
        "a photo of a small {}",
    ),
    "style": (
        "a painting in the style of {}",
        "a rendering in the style of {}",
        "a cropped painting in the style of {}",
        "the painting in the style of {}",
        "a clean painting in the style of {}",
        "a dirty painting in the style of {}",
        "a dark painting in the style of {}",
        "a picture in the style of {}",
        "a cool painting in the style of {}",
        "a close-up painting in the style of {}",
        "a bright painting in the style of {}",
        "a cropped painting in the style of {}",
        "a good painting in the style of {}",
        "a close-up painting in the style of {}",
        "a rendition in the style of {}",
        "a nice painting in the style of {}",
        "a small painting in the style of {}",
        "a weird painting in the style of {}",
        "a large painting in the style of {}",
    ),
}
PLAIN: dict[Property, tuple[str, ...]] = {
    "object": (
        "a photo of a {}",
        "a photo of the {}",
        "the photo of a {}",
        "a photograph of a {}",
        "a picture of a {}",
        "an image of a {}",
        "a bright photo of the {}",
        "a close up photo of a {}",
        "a close up photo of the {}",
    ),
    "style": (
        "a painting in the style of {}",
        "the painting in the style of {}",
        "an oil painting in the style of {}",
        "a picture in the style of {}",
        "an image in the style of {}",
        "a bright painting in the style of {}",
        "a colorful painting in the style of {}",
        "a close up painting in the style of {}",
        "a painting by {}",
    ),
}
