"""SSIM of all pairs of a set: moments once and one filter a pair, against a loop over scikit-image.

Both on one thread, so that the ratio is one of work and not of cores; then ours as it runs, on all
cores, of which the loop uses one.

python benchmarks/pairwise_ssim.py
"""

import os
import time
from collections.abc import Callable
from typing import TypeVar

import cv2
import numpy as np
from common import report
from skimage.metrics import structural_similarity

from likeness.metrics.ssim import SsimProtocol, pairwise

T = TypeVar("T")
# the pictures and the size of the published set
COUNT, SIDE = 122, 500
# the loop takes minutes for all pairs: so many are timed and the time is scaled
SAMPLE = 300
WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}


def picture(seed: int) -> np.ndarray:
    """Smooth random shapes with grain, uint8."""
    rng = np.random.default_rng(seed)
    shapes = cv2.resize(rng.uniform(0, 255, (12, 12)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return (shapes + rng.normal(0, 8, (SIDE, SIDE))).clip(0, 255).astype(np.uint8)


def timed(call: Callable[[], T]) -> tuple[T, float, float]:
    """Result, seconds on the wall and seconds of processor, all threads together, of one call.

    The second is what other work on the machine falsifies less.
    """
    wall, processor = time.perf_counter(), time.process_time()
    result = call()
    return result, time.perf_counter() - wall, time.process_time() - processor


def compare(protocol: SsimProtocol, name: str, pictures: np.ndarray) -> None:
    """Time both and hold the answers for the sampled pairs against each other."""
    settings = WANG if protocol == "corrected" else {}
    rows, columns = np.triu_indices(len(pictures), k=1)
    chosen = np.random.default_rng(0).choice(len(rows), min(SAMPLE, len(rows)), replace=False)
    scale = len(rows) / len(chosen)

    def loop(some: np.ndarray) -> list[float]:
        pairs = zip(pictures[rows[some]], pictures[columns[some]], strict=True)
        return [float(structural_similarity(x, y, **settings)) for x, y in pairs]

    loop(chosen[:5])
    pairwise(pictures[:5], protocol)
    wanted, slow, slow_processor = timed(lambda: loop(chosen))
    found, fast, fast_processor = timed(lambda: pairwise(pictures, protocol))
    # published scores are rounded: half a unit of the second decimal
    tolerance = 1e-6 + (0.005 if protocol == "original" else 0)
    assert np.abs(found[rows[chosen], columns[chosen]] - wanted).max() < tolerance
    ratio = slow_processor * scale / fast_processor
    print(f"{name}: {fast_processor:.1f} s of processor, {ratio:.1f} times less than the loop")
    baseline = f"loop over scikit-image, {protocol}, {len(chosen)} of {len(rows)} pairs, scaled"
    report(name, baseline, slow * scale, f"all {len(rows)} pairs at once", fast)
    cores = len(os.sched_getaffinity(0))
    os.environ["OMP_NUM_THREADS"] = str(cores)
    _, wall, _ = timed(lambda: pairwise(pictures, protocol))
    os.environ["OMP_NUM_THREADS"] = "1"
    report(f"{name}_all_cores", baseline, slow * scale, f"all pairs at once, {cores} threads", wall)


def main() -> None:
    """Both protocols, pictures decoded, one process."""
    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    # A large block given back makes the C library keep memory from here on: it would return the
    # loop's after every pair, which more than doubles the loop's time.
    np.empty(31 << 20, np.uint8)
    pictures = np.stack([picture(seed) for seed in range(COUNT)])
    compare("corrected", "pairwise_ssim", pictures)
    compare("original", "pairwise_ssim_original", pictures)


if __name__ == "__main__":
    main()
