"""Whether the results behind a table belong together, by what each says of itself and not by the times of files."""

from collections.abc import Collection, Iterable
from typing import Any

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.experiment.chain import PROVENANCE, Made, Place

ANEW = "delete it and run again"


def check(results: Iterable[Made], accepted_code: Collection[str] = ()) -> None:
    """Raise `InputError` unless the results were made with these settings, from each other, and by the same code.

    Code with a digest in `accepted_code` counts as the same.
    """
    read: dict[str, dict[str, Any]] = {}
    code: dict[str, tuple[str, str]] = {}
    for made in results:
        content = read[made.path] = files.read_json(made.path)
        record = _value(made.path, content, PROVENANCE)
        if not isinstance(record, dict) or "code" not in record:
            sentence = f"an earlier version of this project made this result; {ANEW}, with what it was made from"
            raise InputError("earlier-version", sentence, path=made.path)
        _check_settings(made, made.settings, record["parameters"])
        for place, settings in made.behind.items():
            _check_settings(made, settings, _value(made.path, content, place))
        for place, other, there in made.equal:
            if _value(made.path, content, place) != _value(other, read[other], there):
                key = ".".join(map(str, place))
                raise InputError("of-another-result", f"not made from {other}; {ANEW}", path=made.path, key=key)
        _check_code(made, record, code, accepted_code)


def _check_settings(made: Made, wanted: dict[str, Any], recorded: dict[str, Any]) -> None:
    if differing := _differing(recorded, wanted):
        sentence = f"made with other settings than the experiment has; {ANEW}"
        raise InputError("other-settings", sentence, path=made.path, key=", ".join(differing))


def _check_code(
    made: Made, record: dict[str, Any], first: dict[str, tuple[str, str]], accepted: Collection[str]
) -> None:
    digest = record["code"]
    if digest in accepted:
        return
    other, path = first.setdefault(made.rule, (digest, made.path))
    if other != digest:
        raise InputError(
            "mixed-code",
            f"made by other code ({digest}, commit {record['git_commit']}) than {path} ({other}); delete one and run "
            "again, or, if the change is harmless, list one of the codes under accepted_code",
            path=made.path,
        )


def _value(path: str, content: Any, place: Place) -> Any:
    for key in place:
        try:
            content = content[key]
        except (KeyError, IndexError, TypeError):
            sentence = f"an earlier version of this project made this result; {ANEW}, with what it was made from"
            raise InputError("earlier-version", sentence, path=path, key=".".join(map(str, place))) from None
    return content


def _differing(one: Any, other: Any, prefix: str = "") -> list[str]:
    """Dotted keys whose values differ."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return [] if one == other else [prefix.removesuffix(".")]
    keys = sorted(one.keys() | other.keys(), key=str)
    missing = object()
    return [
        key for name in keys for key in _differing(one.get(name, missing), other.get(name, missing), f"{prefix}{name}.")
    ]
