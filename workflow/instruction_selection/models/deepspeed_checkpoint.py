"""Classes in DeepSpeed's checkpoints that torch's restricted unpickler must allow; it rejects all others."""

from deepspeed.runtime.fp16.loss_scaler import LossScaler
from deepspeed.runtime.zero.config import ZeroStageEnum
from deepspeed.utils.tensor_fragment import fragment_address

from instruction_selection.core.errors import InputError


def _member(kind: type, name: str) -> ZeroStageEnum:
    """Replaces `getattr`, with which early releases of Python 3.11 pickle a member of an enumeration."""
    if kind is not ZeroStageEnum:
        sentence = f"a checkpoint holds {kind}.{name}, which DeepSpeed never writes; delete it and run again"
        raise InputError("unexpected-object", sentence)
    return ZeroStageEnum[name]


#: For `torch.serialization.add_safe_globals`.
SAFE_GLOBALS = [fragment_address, ZeroStageEnum, LossScaler, (_member, "builtins.getattr")]
