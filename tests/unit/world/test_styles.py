from itertools import combinations

import cv2
import numpy as np
import pytest

from likeness.world.canvas import Canvas
from likeness.world.description import Landscape, Light, Style, words_of
from likeness.world.nature.places import draw_landscape
from likeness.world.styles import brush, finish, flow

STYLES = words_of(Style)


def scene(side=64):
    canvas = Canvas(side)
    draw_landscape(canvas, Landscape("beach"), np.random.default_rng(3))
    return canvas.picture()


def finished(picture, style="photo", light="day", colourful=False, blurred=False, seed=2):
    rng = np.random.default_rng(seed)
    return finish(picture, style, light, colourful, blurred, rng)


def distance(one, two):
    return np.abs(one.astype(float) - two.astype(float)).mean()


def chroma(picture):
    return np.ptp(picture.astype(float), axis=-1).mean()


def sharpness(picture):
    return np.abs(np.diff(picture.astype(float), axis=1)).mean()


@pytest.mark.parametrize("style", STYLES)
def test_a_style_is_deterministic_and_leaves_its_input_alone(style):
    picture = scene()
    before = picture.copy()
    first = finished(picture, style)
    assert first.dtype == np.uint8
    assert first.shape == picture.shape
    assert np.array_equal(picture, before)
    assert np.array_equal(first, finished(picture, style))
    assert not np.array_equal(first, finished(picture, style, seed=3))


@pytest.mark.parametrize("style", STYLES)
def test_a_style_looks_the_same_at_any_side(style):
    small, large = finished(scene(), style), finished(scene(256), style)
    shrunk = cv2.resize(large, (32, 32), interpolation=cv2.INTER_AREA)
    assert distance(cv2.resize(small, (32, 32), interpolation=cv2.INTER_AREA), shrunk) < 12


def test_styles_differ_and_a_drawing_has_no_colour():
    shown = [finished(scene(), style) for style in STYLES]
    for one, two in combinations(shown, 2):
        assert distance(one, two) > 8
    assert chroma(shown[STYLES.index("drawing")]) < 15 < chroma(shown[0])


def test_watercolor_leaves_white_paper_at_the_rim():
    dark = np.full((64, 64, 3), 40, np.uint8)
    painted = finished(dark, "watercolor")
    assert painted[[0, -1]].mean() > 225
    assert painted[24:40, 24:40].mean() < 190


def test_colourful_and_blurred_do_as_they_say():
    plain = finished(scene())
    assert chroma(finished(scene(), colourful=True)) > 1.25 * chroma(plain)
    assert sharpness(finished(scene(), blurred=True)) < 0.6 * sharpness(plain)


def test_the_light_tints_a_gray_subject():
    gray = np.full((64, 64, 3), 120, np.uint8)
    tinted = {light: finished(gray, light=light).mean((0, 1)) for light in words_of(Light)}
    assert np.ptp(tinted["day"]) < 2
    assert tinted["bright"].mean() > tinted["day"].mean() + 10
    assert tinted["sunset"][0] > tinted["sunset"][2] + 30
    assert tinted["night"][2] > tinted["night"][0] + 20
    assert tinted["night"].mean() < tinted["day"].mean() - 15


def test_strokes_run_along_edges_and_keep_a_flat_colour():
    halves = np.zeros((64, 64, 3), np.uint8)
    halves[:, 32:] = 255  # an upright edge: the angle there is a right one
    assert np.allclose(np.abs(np.sin(flow(halves)[20:44, 31:33])), 1, atol=1e-3)
    flat = np.full((64, 64, 3), 90, np.uint8)
    zero = np.zeros((64, 64))
    assert np.array_equal(brush(flat, zero, 0.1, 0.03, 200, 0.0, np.random.default_rng(0)), flat)
