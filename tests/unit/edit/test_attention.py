import pytest

torch = pytest.importorskip("torch")

from likeness.edit.attention import MapStore, controlled  # noqa: E402
from likeness.edit.maps import blend_mask, grid_of  # noqa: E402


class Watch:
    """Changes nothing, remembers what it was shown."""

    def __init__(self, most=10**9):
        self.most, self.seen = most, []

    def needs(self, cross, queries):
        return queries <= self.most

    def edit(self, probabilities, cross):
        self.seen.append((cross, probabilities))
        return probabilities


def unet_of(**changes):
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    fields = {
        "sample_size": 8,
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "cross_attention_dim": 12,
        "attention_head_dim": 4,
        "norm_num_groups": 4,
        "down_block_types": ("CrossAttnDownBlock2D",) * 2,
        "up_block_types": ("CrossAttnUpBlock2D",) * 2,
    }
    return UNet2DConditionModel(**fields | changes).requires_grad_(False).eval()


@pytest.fixture(scope="module")
def unet():
    return unet_of()


def run(unet, rows=2):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn((rows, 4, 8, 8), generator=generator)
    words = torch.randn((rows, 7, unet.config.cross_attention_dim), generator=generator)
    with torch.no_grad():
        return unet(x, 501, encoder_hidden_states=words).sample


def test_probabilities_of_all_layers_are_shown(unet):
    watch = Watch()
    with controlled(unet, watch):
        run(unet)
    assert len(watch.seen) == len(unet.attn_processors)
    shapes = {(cross, tuple(shown.shape)) for cross, shown in watch.seen}
    # diffusers reads attention_head_dim as the number of heads.
    assert shapes == {
        (True, (2, 4, 64, 7)),
        (False, (2, 4, 64, 64)),
        (True, (2, 4, 16, 7)),
        (False, (2, 4, 16, 16)),
    }
    for _, shown in watch.seen:
        torch.testing.assert_close(shown.sum(-1), torch.ones(shown.shape[:-1]))


def test_looking_on_equals_the_library_that_looks_on_bit_for_bit(unet):
    from diffusers.models.attention_processor import AttnProcessor

    plain = dict(unet.attn_processors)
    unet.set_attn_processor(AttnProcessor())
    expected = run(unet)
    unet.set_attn_processor(plain)
    with controlled(unet, Watch()):
        assert torch.equal(run(unet), expected)
    torch.testing.assert_close(run(unet), expected, rtol=1e-4, atol=1e-5)


def test_layers_that_are_not_needed_run_as_before(unet):
    expected = run(unet)
    watch = Watch(most=0)
    with controlled(unet, watch):
        assert torch.equal(run(unet), expected)
    assert watch.seen == []


def test_what_is_changed_is_used(unet):
    class Even(Watch):
        def edit(self, probabilities, cross):
            return torch.full_like(probabilities, 1 / probabilities.shape[-1])

    plain = run(unet)
    with controlled(unet, Even()):
        assert (run(unet) - plain).abs().max() > 1e-3


def test_processors_come_back_after_an_error(unet):
    class Broken(Watch):
        def edit(self, probabilities, cross):
            raise RuntimeError("broken")

    before = dict(unet.attn_processors)
    with pytest.raises(RuntimeError, match="broken"), controlled(unet, Broken()):
        run(unet)
    after = unet.attn_processors
    assert before.keys() == after.keys()
    assert all(after[name] is before[name] for name in before)


def test_several_layers_in_a_block_and_linear_projections_are_seen_too():
    """As in Stable Diffusion XL."""
    unet = unet_of(
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 3),
        use_linear_projection=True,
        upcast_attention=True,
    )
    watch = Watch()
    with controlled(unet, watch):
        shown = run(unet)
    assert len(watch.seen) == len(unet.attn_processors) == 2 * 3 * (1 + 1 + 2)
    torch.testing.assert_close(shown, run(unet), rtol=1e-4, atol=1e-5)


def test_means_are_over_heads_layers_and_steps():
    store = MapStore()
    first, second = torch.rand(2, 3, 16, 5), torch.rand(2, 3, 16, 5)
    store.add(first)
    store.add(second)
    torch.testing.assert_close(store.mean(), torch.stack([first, second]).mean((0, 2)))


@pytest.mark.parametrize(
    ("sides", "chosen"),
    [
        *[((8, 16, 32), 16), ((4, 8), 8), ((12, 24), 12), ((32, 64), 32), ((24, 32), 24)],
        # of a model with larger latents than that the coarsest, in whatever order they come
        *[((72, 36), 36), ((36, 72), 36), ((72, 36, 16), 16), ((64,), 64)],
    ],
)
def test_layout_is_read_from_the_finest_maps_up_to_16(sides, chosen):
    store = MapStore()
    for side in sides:
        store.add(torch.rand(1, 1, side**2, 3))
    assert store.mean().shape == (1, chosen**2, 3)


def test_no_map_is_no_layout():
    with pytest.raises(ValueError, match="no cross-attention map"):
        MapStore().mean()


def test_large_maps_are_let_go_and_do_not_come_back():
    store = MapStore()
    large, small = torch.rand(1, 1, 40**2, 3), torch.rand(1, 1, 20**2, 3)
    for one in (large, small, large, small):
        store.add(one)
    torch.testing.assert_close(store.mean(), small[0])
    assert list(store._sums) == [20**2]


def test_grids_are_halvings_of_the_latents():
    assert grid_of(256, 64, 64) == (16, 16)
    assert grid_of(256, 16, 16) == (16, 16)
    assert grid_of(8 * 12, 64, 96) == (8, 12)
    assert grid_of(9, 9, 9) == (3, 3)
    with pytest.raises(ValueError, match="no halving"):
        grid_of(7, 8, 8)


def test_a_mask_is_where_the_word_is_and_one_place_around():
    heat = torch.zeros(2, 16)
    heat[0, 0], heat[0, 15] = 1.0, 0.25
    heat[1, 5] = 0.01
    mask = blend_mask(heat, (8, 8), torch.tensor([0.3, 0.3]))
    expected = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    expected[0, 0, :4, :4] = True
    expected[1, 0, :6, :6] = True
    assert torch.equal(mask, expected)
    low = blend_mask(heat, (8, 8), torch.tensor([0.2, 0.3]))
    assert low[0, 0, 4:, 4:].all()


def test_a_word_that_is_nowhere_has_an_empty_mask():
    assert not blend_mask(torch.zeros(1, 16), (8, 8), torch.tensor([0.3])).any()
