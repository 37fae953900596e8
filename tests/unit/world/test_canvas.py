import numpy as np
import pytest

from likeness.world.canvas import Canvas, darker, lighter, mix

RED, BLUE = (255.0, 0.0, 0.0), (0.0, 0.0, 255.0)


def test_a_rectangle_covers_what_it_says():
    canvas = Canvas(64)
    canvas.pen(3).box(0.25, 0.5, 0.75, 1.0, RED)
    picture = canvas.picture()
    assert (picture[34:62, 18:46] == (255, 0, 0)).all()
    assert (picture[:30] == 0).all()
    assert (picture[:, :14] == 0).all()
    share = (canvas.owners() == 3).mean()
    assert share == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("side", [32, 64, 256])
def test_shapes_stay_where_they_are_at_any_side(side):
    canvas = Canvas(side)
    canvas.pen(1).ellipse(0.3, 0.6, 0.1, 0.2, RED)
    rows, columns = np.nonzero(canvas.owners() == 1)
    assert (columns.mean() + 0.5) / side == pytest.approx(0.3, abs=0.5 / side)
    assert (rows.mean() + 0.5) / side == pytest.approx(0.6, abs=0.5 / side)


def test_a_nested_pen_is_placed_turned_and_scaled():
    pen = Canvas(64).pen().at(0.5, 0.5, 0.2, turn=np.pi / 2)
    # a quarter turn, clockwise on a picture whose y runs down: right becomes down
    assert pen.place([[1.0, 0.0]])[0] == pytest.approx([0.5, 0.7])
    deeper = pen.at(1.0, 0.0, 0.5)
    assert deeper.place([[0.0, 0.0]])[0] == pytest.approx([0.5, 0.7])
    assert deeper.scale == pytest.approx(0.1)
    assert deeper.place([[1.0, 0.0]])[0] == pytest.approx([0.5, 0.8])


def test_a_mirrored_pen_mirrors():
    pen = Canvas(64).pen().at(0.4, 0.5, 0.1, mirror=True)
    assert pen.place([[1.0, 2.0]])[0] == pytest.approx([0.3, 0.7])


def test_later_shapes_hide_earlier_ones_and_take_their_pixels():
    canvas = Canvas(64)
    canvas.pen(1).box(0, 0, 1, 1, RED)
    canvas.pen(2).box(0, 0, 0.5, 1, BLUE)
    assert (canvas.picture()[:, 2:30] == (0, 0, 255)).all()
    assert (canvas.owners()[:, :30] == 2).all()
    assert (canvas.owners()[:, 34:] == 1).all()


def test_a_glaze_mixes_and_leaves_the_owner():
    canvas = Canvas(64)
    canvas.pen(1).box(0, 0, 1, 1, RED)
    canvas.pen(2).glaze([[0, 0], [1, 0], [1, 1], [0, 1]], BLUE, 0.25)
    assert canvas.picture()[32, 32].tolist() == pytest.approx([191, 0, 64], abs=1)
    assert (canvas.owners() == 1).all()


def test_a_glaze_outside_the_picture_is_nothing():
    canvas = Canvas(64)
    canvas.pen().glaze([[2, 2], [3, 2], [3, 3]], RED, 1.0)
    assert (canvas.picture() == 0).all()


def test_a_gradient_runs_from_one_colour_to_the_other():
    canvas = Canvas(64)
    canvas.pen().gradient(0, 1, (0, 0, 0), (200, 100, 50))
    middle = canvas.picture()[:, 32].astype(float)
    assert (np.diff(middle[:, 0]) >= 0).all()
    assert middle[0].max() < 4
    assert middle[-1] == pytest.approx([200, 100, 50], abs=3)


def test_a_line_is_as_wide_as_it_says():
    canvas = Canvas(128)
    canvas.pen(1).line([[0.1, 0.5], [0.9, 0.5]], 0.1, RED)
    assert (canvas.owners()[:, 64] == 1).sum() == pytest.approx(12.8, abs=1.5)


def test_colours_by_hand():
    assert mix((0, 0, 0), (100, 200, 50), 0.5) == (50, 100, 25)
    assert lighter((0, 0, 0), 0.2) == pytest.approx((51, 51, 51))
    assert darker((100, 100, 100), 0.5) == (50, 50, 50)
