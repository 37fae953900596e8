import numpy as np
import pytest
import torch

from likeness.world.learn.clip import (
    SIDE,
    _tokens,
    _unit,
    build,
    contrastive_loss,
    found_among,
    save,
)


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import CLIPTokenizer

    words = ["<|startoftext|>", "<|endoftext|>", *"abcdefghijklmnopqrstuvwxyz"]
    words += [f"{w}</w>" for w in "abcdefghijklmnopqrstuvwxyz"]
    return CLIPTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=[])


def by_numpy(image, text, scale, alike):
    logits = scale * image @ text.T
    logits[alike & ~np.eye(len(image), dtype=bool)] = -np.inf

    def entropy(rows):
        peak = rows.max(1, keepdims=True)
        return -np.mean(np.diag(rows - peak - np.log(np.exp(rows - peak).sum(1, keepdims=True))))

    return (entropy(logits) + entropy(logits.T)) / 2


def test_contrastive_loss_against_numpy():
    rng = np.random.default_rng(0)
    image, text = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in rng.normal(size=(2, 6, 5)))
    alike = np.eye(6, dtype=bool)
    alike[1, 4] = alike[4, 1] = True
    ours = contrastive_loss(
        *map(torch.from_numpy, (image, text)), torch.tensor(7.0), torch.from_numpy(alike)
    )
    assert float(ours) == pytest.approx(by_numpy(image, text, 7.0, alike), rel=1e-6)
    swapped = contrastive_loss(
        *map(torch.from_numpy, (text, image)), torch.tensor(7.0), torch.from_numpy(alike)
    )
    assert float(ours) == pytest.approx(float(swapped))


def test_indifference_costs_the_log_of_the_number():
    same = torch.ones(8, 4) / 2
    loss = contrastive_loss(same, same, torch.tensor(3.0), torch.eye(8, dtype=torch.bool))
    assert float(loss) == pytest.approx(np.log(8), rel=1e-5)


def test_found_among():
    right = np.eye(4)
    assert found_among(right, right, 4) == 1
    assert found_among(right[[1, 0, 2, 3]], right, 4) == 0.5
    # blocks stand alone: what is far in one block is no rival in the next
    assert found_among(np.tile(right[:2], (2, 1)), np.tile(right[:2], (2, 1)), 2) == 1


def test_padding_changes_nothing(tokenizer):
    torch.manual_seed(0)
    model = build(tokenizer, hidden=48, projection=8).eval()
    short, long = "a b", "a b c d e f g h i j"
    with torch.no_grad():
        alone = _unit(model.get_text_features(**_tokens(tokenizer, [short])))
        beside = _unit(model.get_text_features(**_tokens(tokenizer, [short, long])))
    assert _tokens(tokenizer, [short])["input_ids"].shape[1] == 4
    torch.testing.assert_close(alone[0], beside[0], atol=1e-5, rtol=0)


def test_saved_folder_loads_in_the_stock_classes(tmp_path, tokenizer):
    from transformers import CLIPModel, CLIPProcessor

    torch.manual_seed(0)
    model = build(tokenizer, hidden=48, projection=8).eval()
    save(model, tokenizer, tmp_path)
    assert not list(tmp_path.glob("*.bin"))
    again = CLIPModel.from_pretrained(tmp_path)
    processor = CLIPProcessor.from_pretrained(tmp_path)
    picture = np.random.default_rng(0).integers(0, 256, (100, 80, 3), dtype=np.uint8)
    given = processor(text=["a b"], images=[picture], return_tensors="pt", padding=True)
    assert again.dtype == torch.float32
    assert given["pixel_values"].shape == (1, 3, SIDE, SIDE)
    assert given["input_ids"].tolist() == tokenizer(["a b"])["input_ids"]
    with torch.no_grad():
        one, other = (m(**given).logits_per_image for m in (model, again))
    torch.testing.assert_close(one, other, atol=0.05, rtol=0)
