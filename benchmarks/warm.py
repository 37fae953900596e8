"""A study's small pieces of work on torch: forked from where it is loaded, against fresh processes.

python benchmarks/warm.py
"""

import tempfile
from pathlib import Path

from common import best_of, report

from likeness.generate.asked import Asked
from likeness.generate.sample import Denoising
from likeness.generate.tasks import ImagesParams
from likeness.models.local import model_identity
from resources.compute import Compute, Job

PIECES = 4
LIBRARIES = ("torch", "transformers", "diffusers")
ASKED = ImagesParams(
    model="small",
    identity=model_identity("small"),
    resolution=64,
    dtype="float32",
    asked=[Asked(role="benchmark", prompt="a photo of a dog", seeds=[0])],
    sampling=Denoising(num_inference_steps=25),
)


def several(folder: Path, libraries: tuple[str, ...]) -> None:
    """So many pieces, one behind another: a picture of 25 steps each."""
    compute = Compute(lease_folder=folder)
    for _ in range(PIECES):
        with tempfile.TemporaryDirectory(dir=folder) as own:
            job = Job(
                function="likeness.generate.tasks:make_images",
                params=ASKED.model_dump(mode="json"),
                inputs={},
                output=Path(own) / "output",
                scratch=Path(own) / "scratch",
                libraries=libraries,
            )
            compute.run(job, say=lambda line: None)


def main() -> None:
    """The run that is not counted loads what is loaded once, as a study's first piece does."""
    with tempfile.TemporaryDirectory() as folder:
        fresh, forked = (
            best_of(lambda named=named: several(Path(folder), named)) for named in ((), LIBRARIES)
        )
    report("warm", f"{PIECES} fresh processes", fresh, f"{PIECES} forks", forked)


if __name__ == "__main__":
    main()
