"""A checkpoint that would run something is rejected, and nothing runs."""

import os
import pickle

import pytest
import torch

from instruction_selection.features.gradients import moments


class Command:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_pickles__are_trusted_in_a_new_folder_only(tmp_path):
    pickle.loads(pickle.dumps(Command(tmp_path / "made")))
    assert (tmp_path / "made").is_dir()


@pytest.mark.parametrize("name", ["optimizer.pt", "global_step1/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt"])
def test_pickles__with_a_command_are_rejected(tmp_path, name):
    path = tmp_path / "checkpoint-1" / name
    path.parent.mkdir(parents=True)
    torch.save({"state": Command(tmp_path / "made"), "optimizer_state_dict": Command(tmp_path / "made")}, path)
    if name != "optimizer.pt":
        (tmp_path / "checkpoint-1" / "latest").write_text("global_step1")
    with pytest.raises(pickle.UnpicklingError):
        moments.from_checkpoint(tmp_path / "checkpoint-1", {"w": torch.Size([1])})
    assert not (tmp_path / "made").exists()
