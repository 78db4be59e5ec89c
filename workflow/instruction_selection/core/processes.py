"""A job's environment, and the programs that it starts."""

import contextlib
import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from instruction_selection.core import memory
from instruction_selection.core.errors import InputError

PACKAGE = Path(__file__).resolve().parents[1]
#: Where libraries keep what they download, convert and compile, by the environment variable that says so. Most are
#: below HF_HOME or XDG_CACHE_HOME by default, but a user may have set each one.
CACHES = {
    "XDG_CACHE_HOME": "",
    "HF_HOME": "huggingface",
    "HF_HUB_CACHE": "huggingface/hub",
    "HUGGINGFACE_HUB_CACHE": "huggingface/hub",
    "HF_ASSETS_CACHE": "huggingface/assets",
    "HF_XET_CACHE": "huggingface/xet",
    "HF_MODULES_CACHE": "huggingface/modules",
    "HF_DATASETS_CACHE": "huggingface/datasets",
    "HF_EVALUATE_CACHE": "huggingface/evaluate",
    "HF_METRICS_CACHE": "huggingface/metrics",
    "LM_HARNESS_CACHE_PATH": "lm_eval",
    "MPLCONFIGDIR": "matplotlib",
    "TORCH_HOME": "torch",
    "TORCH_EXTENSIONS_DIR": "torch_extensions",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TRITON_CACHE_DIR": "triton",
    "CUDA_CACHE_PATH": "cuda",
    "VLLM_CACHE_ROOT": "vllm",
    "VLLM_CONFIG_ROOT": "vllm_config",
}


def environment(caches: str | Path) -> dict[str, str]:
    """This process's environment, but with every library's cache below the folder `caches`.

    A cache that a user's runs share may return what it holds of another file of the same name, size and time. Only
    Numba's is kept, in the checkout, because compiling takes seconds in every job; its folder has a hash of the modules
    that are compiled as its name.
    """
    caches = Path(caches).resolve()
    return {
        **os.environ,
        **{variable: str(caches / folder) for variable, folder in CACHES.items()},
        "NUMBA_CACHE_DIR": str(Path(f".snakemake/numba/{_compiled_from()}").resolve()),
        # A login, not a cache.
        "HF_TOKEN_PATH": os.environ.get("HF_TOKEN_PATH", str(_huggingface() / "token")),
    }


def _compiled_from() -> str:
    """A hash of the modules with compiled functions. Numba itself compares their sizes and times, one by one."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        if b"numba" in content:
            digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + content)
    return digest.hexdigest()[:12]


def _huggingface() -> Path:
    """Hugging Face's folder of this user, as `huggingface_hub.constants` has it."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("HF_HOME", f"{cache}/huggingface")).expanduser()


#: The environment variable that tells a program where to say that it ran out of memory.
OUT_OF_MEMORY = "INSTRUCTION_SELECTION_OUT_OF_MEMORY"


def run(command: list[str], variables: dict[str, str], note: str | Path, at: str | Path) -> int:
    """Run one of this library's programs and return its exit status; `at` is what it works on.

    Raises `InputError` if it says at the path `note`, which all its processes can write to, that it ran out of memory
    (`reporting_memory`).
    """
    note = Path(note).resolve()
    note.unlink(missing_ok=True)
    status = subprocess.run(command, env={**variables, OUT_OF_MEMORY: str(note)}, check=False).returncode
    if status and note.is_file():
        raise InputError("out-of-memory", memory.sentence(note.read_text(encoding="utf-8")), path=at)
    return status


@contextlib.contextmanager
def reporting_memory() -> Iterator[None]:
    """In a program that `run` started: say so if an exception in the block is a lack of memory."""
    try:
        yield
    except Exception as error:
        if what := memory.lack(error):
            Path(os.environ[OUT_OF_MEMORY]).write_text(what, encoding="utf-8")
        raise


def check_exit(program: str, status: int, at: str | Path) -> None:
    """Raise `InputError` unless `program` succeeded; `status` is `subprocess`'s return code, `at` what it worked on."""
    if status < 0:
        raise InputError("killed", describe_exit(program, status, at))
    if status > 0:
        raise InputError("failed", describe_exit(program, status, at))


def describe_exit(program: str, status: int, at: str | Path) -> str:
    """How a program that failed ended, and what to do about it."""
    if status >= 0:
        return f"{program} ended with exit status {status} while running {at}; its own message is in this job's log."
    name = signal.Signals(-status).name
    reason = " (out of memory?)" if -status == signal.SIGKILL else ""
    return f"{program} was killed by {name}{reason} while running {at}. Run the same command again to resume."
