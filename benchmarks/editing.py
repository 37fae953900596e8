"""Edits that share what they can: one inversion for all editors, several edits in one batch.

python benchmarks/editing.py [STEPS] [PICTURES] [FITTED]

STEPS of sampling (50, or 25), PICTURES edited or fitted together (8; half as many are inverted),
FITTED steps of HiPer (100). On two idle cores a quarter of an hour, most of it in inversions.
Weights are random in the shape of the small base model, and of Stable Diffusion 1.5 where there is
a GPU: what they cost does not depend on them. Both sides of a ratio run once, in this process,
after a burn-in. An inversion is taken in the substeps that were published (999 steps for 50 of an
edit: Plug-and-Play's preprocessing), and in one, as our bench takes it, where less is to be
shared.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import report
from dreambooth_step import small_pipe

from likeness.edit.editors import PlugAndPlay, PromptToPrompt
from likeness.edit.fitting import Fitting
from likeness.edit.hiper import HiPerRecipe, learn_tails
from likeness.edit.plug_and_play import plug_and_play
from likeness.edit.prompt_to_prompt import edit
from likeness.edit.start import Start, from_seed, invert

SOURCE = "a photo of a dog on a beach"
OTHERS = ("cat", "car", "boat", "horse", "tree", "bird", "chair", "house")
TARGETS = [SOURCE.replace("dog", other) for other in OTHERS]
STRENGTHS = (1.0, 0.75, 0.5, 0.25, 0.0)
PUBLISHED = 20  # substeps, of 50 steps: 981 evaluations of the network

Edit = Callable[[list[Start]], object]


def seconds(call: Callable[[], object]) -> float:
    """Of one call, with all that a GPU still has to do."""
    began = time.perf_counter()
    call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def points(pipe: Any, steps: int, count: int) -> Iterator[Edit]:
    """Both editors of inverted pictures at each strength, as calls on where they begin."""
    sources, targets = [SOURCE] * count, TARGETS[:count]
    asked = {"num_inference_steps": steps, "guidance_scale": 4.0, "strengths": STRENGTHS}
    editors = (PromptToPrompt(**asked), edit), (PlugAndPlay(**asked), plug_and_play)
    for editor, function in editors:
        for strength in STRENGTHS:
            recipe = editor.at(strength)
            yield lambda s, f=function, r=recipe: f(pipe, s, sources, targets, r)


def shared_inversion(name: str, pipe: Any, side: int, steps: int, count: int) -> None:
    """All editors at all strengths from one inversion, against each from its own."""
    pictures = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
    recipe = PromptToPrompt(num_inference_steps=steps)
    edits = list(points(pipe, steps, count))
    for kind, substeps in (("published", PUBLISHED), ("one_substep", 1)):

        def inverted(n: int = substeps) -> list[Start]:
            return invert(pipe, pictures, [SOURCE] * count, recipe, n)

        def apart() -> None:
            for one in edits:
                one(inverted())

        def together() -> None:
            starts = inverted()
            for one in edits:
                one(starts)

        edits[0](invert(pipe, pictures, [SOURCE] * count, recipe))
        slow, fast = seconds(apart), seconds(together)
        said = f"{len(edits)} edits of {count} pictures, each by its own inversion"
        said = f"{said} of {substeps} x {steps} steps"
        report(f"editing_inversion_{name}_{kind}", said, slow, "one inversion for all", fast)


def batched_edits(name: str, pipe: Any, side: int, steps: int, count: int) -> None:
    """Several edits of one source by Prompt-to-Prompt, in one batch against one by one."""
    recipe = PromptToPrompt(num_inference_steps=steps)
    start, targets = from_seed(pipe, 0, side), TARGETS[:count]

    def at_once(some: list[str]) -> object:
        return edit(pipe, [start] * len(some), [SOURCE] * len(some), some, recipe)

    at_once(targets)
    slow = seconds(lambda: [at_once([target]) for target in targets])
    fast = seconds(lambda: at_once(targets))
    said = f"{len(targets)} edits of one source, {steps} steps, one by one"
    report(f"editing_batch_{name}", said, slow, "in one batch", fast)


def batched_fitting(name: str, pipe: Any, side: int, steps: int, count: int) -> None:
    """HiPer's tails of several pictures, all at once against one after the other."""
    pictures = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
    fitting = Fitting(learning_rate=5e-3, steps=steps, checkpoint_steps=steps)
    low = "bfloat16" if torch.cuda.is_available() else "float32"
    recipe = HiPerRecipe(fitting=fitting, precision=low)

    def fitted(some: np.ndarray) -> None:
        # Of its own, or it would find what is fitted already.
        with tempfile.TemporaryDirectory() as scratch:
            learn_tails(pipe, some, [SOURCE] * len(some), recipe, Path(scratch))

    fitted(pictures)
    slow = seconds(lambda: [fitted(one[None]) for one in pictures])
    fast = seconds(lambda: fitted(pictures))
    said = f"HiPer, {count} pictures, {steps} steps, one by one"
    report(f"editing_fitting_{name}", said, slow, "all at once", fast)


def main(steps: str = "50", count: str = "8", fitted: str = "100") -> None:
    """The small shape, and Stable Diffusion 1.5's when there is a GPU."""
    builders = {"small": (small_pipe, 64)}
    if torch.cuda.is_available():
        from likeness.models.load import load_pipeline

        builders["sd15"] = (lambda: load_pipeline("sd15-random", "cuda", "float32"), 512)
    torch.set_num_threads(2)
    for name, (build, side) in builders.items():
        pipe = build()
        pipe.unet.requires_grad_(False).eval()
        batched_edits(name, pipe, side, int(steps), int(count))
        batched_fitting(name, pipe, side, int(fitted), int(count))
        shared_inversion(name, pipe, side, int(steps), max(1, int(count) // 2))


if __name__ == "__main__":
    main(*sys.argv[1:])
