"""How the tests of learned words learn one: briefly, on a tiny model."""

from likeness.finetune.ti_recipe import TextualInversionRecipe

JUDGED = {
    "prompts": ["a photo of <cézanne> on beach", "a red <cézanne>"],
    "images_per_prompt": 1,
    "sampling": {"num_inference_steps": 10, "guidance_scale": 2.0},
}


def recipe(**changes):
    """A short training; changes by name."""
    fields = {
        "placeholder_token": "<cézanne>",
        "initializer_token": "dog",
        "templates": ["a photo of {}", "{} on a beach", "a red {}"],
        "learning_rate": 1e-2,
        "steps": 7,
        "batch": 2,
        "precision": "float32",
        "checkpoint_steps": 3,
    }
    return TextualInversionRecipe(**fields | changes)
