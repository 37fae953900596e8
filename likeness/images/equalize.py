"""Two ways to hide how a picture was photographed, scanned and saved, while its subject stays."""

import io

import numpy as np
from PIL import Image

# Natural images have an amplitude spectrum of about 1/f (Field 1987, J. Opt. Soc. Am. A 4:2379).
EXPONENT = 1.0
MEAN = 0.5
STD = 0.2
# In units of the gray range: far below the noise of 8-bit rounding (1.1e-3). A ring with less holds
# nothing but float error and stays empty instead of being blown up.
SILENCE = 1e-7

WASH_FACTOR = 2
WASH_QUALITY = 50


def flatten_spectrum(gray: np.ndarray) -> np.ndarray:
    """Gray picture ``(H, W)`` in 0..1 -> the same with the common 1/f spectrum, clipped to 0..1.

    Phases are kept; sharpness, grain, contrast and exposure become those of every other picture.
    """
    return np.clip(shape_spectrum(gray), 0.0, 1.0)


def shape_spectrum(gray: np.ndarray) -> np.ndarray:
    """``flatten_spectrum`` before clipping: mean ``MEAN``, std ``STD``, radial amplitude ~ 1/f.

    The filter is radial and zero-phase. It acts on cosine transforms, i.e. on the picture mirrored
    at its borders: a plain Fourier transform takes the jump between opposite borders for content,
    a cross of high frequencies which would hide how blurred the inside is. Rings are half a cycle
    per short side wide and reach into the corners; amplitude is root-mean-square over a ring.
    """
    from scipy.fft import dctn, idctn

    coefficients = dctn(np.asarray(gray, np.float64), norm="ortho")
    coefficients[0, 0] = 0.0
    frequency, ring = _rings(*coefficients.shape)
    coefficients[_ring_rms(coefficients, ring)[ring] < SILENCE] = 0.0
    target = np.divide(1.0, frequency**EXPONENT, out=np.zeros_like(frequency), where=frequency > 0)
    # Parseval: with these root-mean-square amplitudes the picture has exactly the wanted std.
    target *= STD / np.sqrt(np.mean(target**2))
    # first a smooth curve over frequency; then what that left in each ring, so that the amplitudes
    # are met exactly and a second shaping changes nothing
    ratio = _ring_ratio(coefficients, target, ring)
    coefficients *= _smooth_gain(ratio, frequency, ring)
    coefficients *= _ring_ratio(coefficients, target, ring)[ring]
    return idctn(coefficients, norm="ortho") + MEAN


def recompress(image: Image.Image) -> Image.Image:
    """Halve and double the size, then one JPEG round trip (quality 50, 4:2:0): one history for all.

    Size and mode ('L' or 'RGB') are kept; detail above half the Nyquist frequency is given up.
    """
    small = (-(-image.width // WASH_FACTOR), -(-image.height // WASH_FACTOR))
    blurred = image.resize(small, Image.Resampling.LANCZOS)
    blurred = blurred.resize(image.size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    blurred.save(buffer, "JPEG", quality=WASH_QUALITY, subsampling="4:2:0")
    with Image.open(buffer) as saved:
        return saved.convert(image.mode)


def _rings(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Radial frequency in cycles per px and ring number of every cosine coefficient."""
    frequency = np.hypot(
        np.arange(height)[:, None] / (2 * height), np.arange(width)[None, :] / (2 * width)
    )
    ring = np.rint(frequency * 2 * min(height, width)).astype(np.int64)
    # in an oblong picture the first coefficients along the long side would round to the mean's ring
    ring[(ring == 0) & (frequency > 0)] = 1
    return frequency, ring


def _ring_rms(coefficients: np.ndarray, ring: np.ndarray) -> np.ndarray:
    members = np.bincount(ring.ravel())
    power = np.bincount(ring.ravel(), (coefficients**2).ravel())
    return np.sqrt(power / np.maximum(members, 1))


def _ring_ratio(coefficients: np.ndarray, target: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """Factor per ring that brings its amplitude to the target's."""
    return _ring_rms(target, ring) / np.maximum(_ring_rms(coefficients, ring), SILENCE)


def _smooth_gain(ratio: np.ndarray, frequency: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """Factor per coefficient: the rings' ratios interpolated over frequency, all but the mean's."""
    members = np.bincount(ring.ravel())
    centre = np.bincount(ring.ravel(), frequency.ravel()) / np.maximum(members, 1)
    filled = np.flatnonzero(members[1:]) + 1
    return np.exp(np.interp(frequency, centre[filled], np.log(ratio[filled])))
