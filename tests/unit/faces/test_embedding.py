import math

import torch

from likeness.faces.embedding import CROP, Embedding, cosface_loss, crops


def test_cosface_loss_by_hand():
    vectors = torch.tensor([[1.0, 0.0]])
    classes = torch.tensor([[3.0, 0.0], [0.0, 5.0]])  # their lengths do not matter
    loss = cosface_loss(vectors, classes, torch.tensor([0]), scale=10, margin=0.3)
    right, wrong = 10 * (1 - 0.3), 10 * 0.0
    expected = -math.log(math.exp(right) / (math.exp(right) + math.exp(wrong)))
    assert math.isclose(float(loss), expected, rel_tol=1e-4)


def test_margin_makes_it_harder():
    vectors = torch.nn.functional.normalize(torch.randn(8, 4), dim=1)
    classes, who = torch.randn(5, 4), torch.arange(8) % 5
    easy, hard = (cosface_loss(vectors, classes, who, 10, m) for m in (0.0, 0.4))
    assert hard > easy


def test_vectors_have_length_one():
    network = Embedding((4, 4, 4)).eval()
    lengths = network(torch.randn(3, 3, CROP, CROP)).norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(3))


def test_crop_of_its_own_size_is_the_picture():
    x = torch.rand(1, 3, CROP, CROP)
    side = CROP / 1.5  # a box whose square with margin is the whole picture
    low, high = (CROP - side) / 2, (CROP + side) / 2
    again = crops(x, torch.tensor([[low, low, high, high]]))
    torch.testing.assert_close(again, x, atol=1e-5, rtol=1e-5)


def test_crops_follow_the_box():
    column = torch.arange(64.0).expand(1, 3, 64, 64).contiguous()
    cut = crops(column, torch.tensor([[24.0, 24, 40, 40]]))
    # the square reaches from 20 to 44; pixel k holds k at its middle k + 1/2
    assert abs(float(cut.mean()) - 31.5) < 1e-3
    assert float(cut.min()) > 19.5
    assert float(cut.max()) < 44


def test_turned_features_are_what_they_say():
    torch.manual_seed(0)
    network = Embedding().eval()
    x = torch.randn(5, 3, 48, 48)
    axes, middle = torch.randn(64, 64), torch.randn(64)
    with torch.no_grad():
        before = network.features(x)
        network.turn(axes, middle)
        after = network.features(x)
    assert torch.allclose(after, (before - middle) @ axes.T, atol=1e-4)
