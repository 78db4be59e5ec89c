"""`parameters: full` warms up the whole model, and keeps the gradients of all of its weights."""

import json

import h5py
from safetensors import safe_open


def test_the_whole_model_is_warmed_up_and_has_its_gradients_kept(copy):
    copy.edit("config/experiments/smoke.yaml", "gradients:\n", "gradients:\n  parameters: full\n")
    store = "results/smoke/gradients/tiny-llama/reasoning/pool.h5"
    result = copy.snakemake("--", store)
    assert result.returncode == 0, result.stdout + result.stderr
    warmup = copy.path / "results/smoke/warmup/tiny-llama/reasoning"
    assert not (warmup / "adapter" / "adapter_config.json").exists()
    with safe_open(warmup / "moments.safetensors", "np") as moments:
        names = {name.rsplit(".", 1)[0] for name in moments.keys()}  # noqa: SIM118
        count = sum(moments.get_tensor(f"{name}.exp_avg").size for name in names)
    assert {"model.embed_tokens.weight", "model.norm.weight"} <= names
    with h5py.File(copy.path / store) as file:
        assert json.loads(file.attrs["identity"])["parameters"]["count"] == count > 1_000_000
        assert file["finite"][:].all()
