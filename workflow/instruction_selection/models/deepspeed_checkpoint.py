"""What DeepSpeed's checkpoints hold besides tensors: these and no others pass through torch's restricted unpickler."""

from deepspeed.runtime.fp16.loss_scaler import LossScaler
from deepspeed.runtime.zero.config import ZeroStageEnum
from deepspeed.utils.tensor_fragment import fragment_address

from instruction_selection.core.uncoded_errors import InputError


def _member(kind: type, name: str) -> ZeroStageEnum:
    """In place of `getattr`, as which early releases of Python 3.11 write a member of an enumeration."""
    if kind is not ZeroStageEnum:
        raise InputError(f"A checkpoint holds {kind}.{name}, which none of DeepSpeed's does.")
    return ZeroStageEnum[name]


#: For `torch.serialization.add_safe_globals`.
SAFE_GLOBALS = [fragment_address, ZeroStageEnum, LossScaler, (_member, "builtins.getattr")]
