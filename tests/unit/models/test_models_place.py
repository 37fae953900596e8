import json

from diffusers import UNet2DConditionModel

from likeness.models.place import forget_place


def test_a_model_read_from_two_places_is_written_with_the_same_bytes(tmp_path):
    small = {"block_out_channels": (8,), "down_block_types": ("DownBlock2D",)}
    small |= {"up_block_types": ("UpBlock2D",), "norm_num_groups": 4, "layers_per_block": 1}
    UNet2DConditionModel(**small, cross_attention_dim=8).save_pretrained(tmp_path / "one")
    UNet2DConditionModel.from_pretrained(tmp_path / "one").save_pretrained(tmp_path / "two")
    assert str(tmp_path) in (tmp_path / "two" / "config.json").read_text()

    forget_place(tmp_path)
    one, two = (
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    )
    assert one == two
    assert json.loads(one["config.json"])["_class_name"] == "UNet2DConditionModel"
