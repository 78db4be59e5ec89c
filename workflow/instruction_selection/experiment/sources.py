"""Where models, encoders and rows come from."""

import re
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from instruction_selection.experiment.base import (
    ByKind,
    Execution,
    List,
    Matching,
    PackageName,
    PathBelow,
    Section,
    Seed,
)

#: Suffixes of a model's files: no pickle, which runs code when it is read, and no program.
MODEL_SUFFIXES = (".safetensors", ".json", ".txt", ".model", ".jinja")

Files = Annotated[List[PathBelow], Field(min_length=1)]
ModelFile = Annotated[
    PathBelow,
    Matching(rf".*({'|'.join(map(re.escape, MODEL_SUFFIXES))})", f"one of *{', *'.join(MODEL_SUFFIXES)}"),
]


class Repository(Section):
    """Files of a repository of the Hugging Face hub."""

    kind: Literal["hub"]
    repository: Annotated[
        str,
        Matching(
            "(datasets/)?[A-Za-z0-9_][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._-]*",
            "<org>/<name> or datasets/<org>/<name>",
        ),
    ]
    """Its address on the hub: <org>/<name> for a model, datasets/<org>/<name> for a data set."""
    revision: Annotated[str, Matching("[A-Za-z0-9_][A-Za-z0-9_./-]*", "a commit, tag or branch")]
    """Commit, tag or branch."""
    files: Files
    """File names, or patterns of them, in the order in which they are read."""
    gated: Execution[bool] = False
    """Whether the hub wants its license accepted first."""


class ModelRepository(Repository):
    """A model of the Hugging Face hub, with its weights as safetensors."""

    files: Annotated[List[ModelFile], Field(min_length=1)]
    """File names, or patterns of them."""


class Address(Section):
    """Files at an address that is not on the hub."""

    kind: Literal["url"]
    url: Annotated[
        str,
        Matching(
            r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/(?!\.\.?(/|$))[^/\s?#\\]+)*",
            "an http address without user name, password, '..', '?' and final slash",
        ),
    ]
    """What the files' addresses start with, with the revision in it, without a final slash."""
    files: Files
    """File names, in the order in which they are read."""


class Folder(Section):
    """Your own files."""

    kind: Literal["folder"]
    folder: Annotated[str, Matching(r"(?!(.*/)?\.\.(/|$))[^\x00-\x1f\x7f]+", "a folder without '..'")]
    """Where they are, relative to where Snakemake is started."""
    files: Files
    """File names, or patterns of them, in the order in which they are read."""


class ModelFolder(Section):
    """A model's folder, as `save_pretrained` writes it: configuration, tokenizer, and weights as safetensors."""

    kind: Literal["folder"]
    folder: Annotated[str, Matching(r"(?!(.*/)?\.\.(/|$))[^\x00-\x1f\x7f]+", "a folder without '..'")]
    """Where it is: absolute, or relative to where Snakemake is started."""
    files: Annotated[List[ModelFile], Field(min_length=1)] = ("*.json", "*.safetensors")
    """File names, or patterns of them."""


class PackageFiles(Section):
    """Files inside an installed Python package."""

    kind: Literal["package"]
    package: PackageName
    """Import name of the package."""
    files: Files
    """File names, or patterns of them, in the order in which they are read."""


class Tokenizer(Section):
    """A GGUF file inside an installed package, for its tokenizer."""

    package: PackageName
    """Import name of the package."""
    file: PathBelow
    """File inside the package."""


class GgufFile(Section):
    """A GGUF file inside an installed Python package."""

    kind: Literal["gguf-package"]
    package: PackageName
    """Import name of the package."""
    file: PathBelow
    """File inside the package."""


class RandomWeights(Section):
    """Randomly initialised from a configuration."""

    kind: Literal["random"]
    config: dict[str, JsonValue]
    """Arguments of transformers' AutoConfig.for_model, model_type among them."""
    tokenizer: Tokenizer
    seed: Seed
    """Seeds the weights."""


class PackageFolder(Section):
    """A sentence-transformers folder inside an installed Python package."""

    kind: Literal["package"]
    package: PackageName
    """Import name of the package."""
    folder: PathBelow
    """Folder inside the package."""


RowSource = Annotated[Repository | Address | Folder | PackageFiles, ByKind()]
ModelSource = Annotated[GgufFile | RandomWeights | ModelFolder | ModelRepository, ByKind()]
EncoderSource = Annotated[PackageFolder | ModelRepository, ByKind()]
Source = Repository | Address | Folder | ModelFolder | PackageFiles | GgufFile | RandomWeights | PackageFolder
