"""What the types of config files are made of.

A file is an `Entry`: immutable, without conversion of types, and without unknown keys. The docstring below a field is
its description in config/README.md and in editors (`schemas` reads it; pydantic would at every import, in 0.2 s).
"""

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, LiteralString, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    JsonValue,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WrapValidator,
    model_serializer,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, core_schema

from instruction_selection.experiment.suggestions import did_you_mean

T = TypeVar("T")


@dataclass(frozen=True)
class NotDeciding:
    """On a field on which no result depends."""

    shown: bool


#: What is only said of an entry, in tables and reports: a change plans these, and no other job.
About = Annotated[T, NotDeciding(shown=True)]
#: How jobs run, or what they are expected to cost: a change plans nothing.
Execution = Annotated[T, NotDeciding(shown=False)]


class Section(BaseModel):
    """A mapping with known keys in a config file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _knows_every_key(cls, given: Any) -> Any:
        for key in given if isinstance(given, dict) and cls.model_config.get("extra") == "forbid" else ():
            if key not in cls.model_fields:
                raise problem("unknown-key", f"unknown key{did_you_mean(key, cls.model_fields)}", key)
        return given

    @classmethod
    def deciding_keys(cls) -> set[str]:
        """The keys on which a result may depend."""
        return {name for name, field in cls.model_fields.items() if not _marks(field)}

    def plain(self, *keys: str) -> dict[str, Any]:
        """As plain data with defaults filled in: all of it, or these keys."""
        return self.model_dump(mode="json", include=set(keys) or None)

    def inputs(self, *keys: str) -> dict[str, Any]:
        """The values of `keys` as plain data, for a job whose result depends on them and on nothing else here.

        Raises `ValueError` for a key that decides no result; such keys of sections inside are left out.
        """
        if wrong := set(keys) - self.deciding_keys():
            raise ValueError(f"{type(self).__name__}: no result depends on {', '.join(sorted(wrong))}")
        return {key: _plain(getattr(self, key), _decides) for key in keys}

    def all_inputs(self) -> dict[str, Any]:
        """All values that decide a result, as plain data; of `Arguments`, those that were given."""
        return _plain(self, _decides)

    def described(self) -> dict[str, Any]:
        """All values but those marked `Execution`, as plain data; of `Arguments`, those that were given."""
        return _plain(self, _is_shown)

    def execution(self) -> dict[str, Any]:
        """The values that are marked `Execution`, as plain data; of `Arguments`, those that were given."""
        return _plain(self, lambda field: not _is_shown(field))


class Arguments(Section):
    """Arguments of another program: the keys that this project reads have types, the others are passed on.

    As plain data it has the keys that were given, and no defaults.
    """

    model_config = ConfigDict(extra="allow")
    # What pydantic checks the other keys with.
    __pydantic_extra__: dict[str, JsonValue] = Field(init=False)  # pyright: ignore[reportIncompatibleVariableOverride]

    @model_serializer(mode="wrap")
    def _as_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if key in self.model_fields_set}


class Entry(Section):
    """A file of its own, in a folder for its kind."""

    FOLDER: ClassVar[str]

    @classmethod
    def noun(cls) -> str:
        return cls.FOLDER.removesuffix("s")


def _marks(field: FieldInfo) -> list[NotDeciding]:
    return [item for item in field.metadata if isinstance(item, NotDeciding)]


def _decides(field: FieldInfo) -> bool:
    return not _marks(field)


def _is_shown(field: FieldInfo) -> bool:
    return all(mark.shown for mark in _marks(field))


def _plain(value: Any, wanted: Callable[[FieldInfo], bool]) -> Any:
    """A value as plain data, with those fields of sections that are wanted."""
    match value:
        case Section():
            fields = type(value).model_fields
            names = value.plain() if isinstance(value, Arguments) else fields
            # Another program's own keys have no field here. They decide results.
            return {
                name: _plain(getattr(value, name), wanted) for name in names if wanted(fields.get(name, FieldInfo()))
            }
        case dict():
            return {key: _plain(inner, wanted) for key, inner in value.items()}
        case tuple():
            return [_plain(inner, wanted) for inner in value]
    return value


def problem(code: LiteralString, sentence: str, key: str | None = None) -> PydanticCustomError:
    """What a validator raises; `key`, dotted, is relative to what it validates."""
    return PydanticCustomError(code, "{sentence}", {"sentence": sentence, "key": key})


@dataclass(frozen=True)
class Matching:
    """Text that is, as a whole, what a pattern describes; `allowed` says so to a person."""

    pattern: str
    allowed: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise problem("not-allowed", f"must be {self.allowed}, not {{value}}")
        return value


class ByKind:
    """On a union of sections that differ in `kind`: a mistake is judged by the one that was meant."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        choices = {get_args(each.model_fields["kind"].annotation)[0]: each for each in get_args(source)}
        sentence = f"must be {either(choices)}"
        return core_schema.tagged_union_schema(
            {kind: handler.generate_schema(each) for kind, each in choices.items()},
            discriminator="kind",
            custom_error_type="unknown-kind",
            custom_error_message="{sentence}",
            custom_error_context={"sentence": sentence, "key": "kind"},
        )


def either(values: Iterable[str]) -> str:
    """Names in quotes, of which one is to be chosen."""
    return either_of(map(repr, values))


def either_of(choices: Iterable[str]) -> str:
    *most, last = choices
    return f"{', '.join(most)} or {last}" if most else last


def _unique(values: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    for value in values:
        if values.count(value) > 1:
            raise problem("duplicate", f"{value!r} is listed twice")
    return values


def _number(value: Any, validate: Callable[[Any], float]) -> float:
    validate(value)
    return value


def _as_given(value: float) -> float:
    return value


#: A YAML list.
List = Annotated[tuple[T, ...], Field(strict=False)]
#: A list in which nothing is there twice.
Distinct = Annotated[tuple[T, ...], Field(strict=False), AfterValidator(_unique)]
#: A finite number that stays as it was written: 512 does not become 512.0.
Number = Annotated[float, WrapValidator(_number), PlainSerializer(_as_given, return_type=int | float)]
#: At least 1.
Count = Annotated[int, Field(ge=1)]
#: What NumPy, torch and LLaMA-Factory take as a seed.
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
#: A file, a folder or a pattern below a folder, which it cannot leave.
PathBelow = Annotated[
    str,
    Matching(r"(?!/)(?!(.*/)?\.\.?(/|$))[^\x00-\x1f\x7f\\]+", "a path below its folder, without '..'"),
]
PackageName = Annotated[str, Matching("[A-Za-z_][A-Za-z0-9_]*", "the name of a package")]
#: As in a file's name, with '-' for '_'.
ModuleName = Annotated[str, Matching("[a-z0-9][a-z0-9_-]*", "the name of a module")]
#: Text of tables. Spreadsheets run a cell that begins with one of these signs, also in their full-width forms.
Label = Annotated[
    str,
    Matching(
        r"[^=+\-@\uff1d\uff0b\uff0d\uff20\s][\s\S]*", "text that begins with no white space, '=', '+', '-' or '@'"
    ),
]
