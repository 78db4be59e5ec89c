"""config/README.md and the schemas for editors, which are written from the types."""

import jsonschema
import pytest
import yaml

from instruction_selection.core.features import FEATURES
from instruction_selection.experiment import reference, schemas
from instruction_selection.experiment.base import Entry

from .conftest import CONFIG


def test_readme__is_up_to_date():
    assert (CONFIG / "README.md").read_text() == reference.text(), "run `make reference`"


def test_features__in_the_page_on_methods_are_up_to_date():
    page = reference.METHODS.read_text()
    assert page == reference.with_features(page), "run `make reference`"
    assert all(f"| `{name}` |" in page for name in FEATURES)


@pytest.mark.parametrize("kind", schemas.KINDS)
def test_schema__is_up_to_date(kind):
    assert schemas.path_of(kind).read_text() == schemas.text(kind), "run `make reference`"


def test_schemas__are_those_of_the_kinds():
    assert {path.name for path in schemas.FOLDER.iterdir()} == {f"{kind}.schema.yaml" for kind in schemas.KINDS}


@pytest.mark.parametrize("path", sorted(CONFIG.rglob("*.yaml")), ids=lambda path: str(path.relative_to(CONFIG)))
def test_schema__that_a_file_names_is_there(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    if "yaml-language-server" in first:
        assert (path.parent / first.split("$schema=")[1]).resolve().is_file()


@pytest.mark.parametrize("kind", schemas.KINDS)
def test_every_key__is_described_and_optional_only_with_a_default(kind):
    schema = schemas.schema(schemas.KINDS[kind])
    jsonschema.Draft202012Validator.check_schema(schema)
    for section in [schema, *schema.get("$defs", {}).values()]:
        for name, entry in section.get("properties", {}).items():
            assert entry["description"], name
            assert name in section.get("required", []) or "default" in entry


@pytest.mark.parametrize("kind", schemas.KINDS)
def test_schema__accepts_the_files_that_there_are(kind):
    section = schemas.KINDS[kind]
    validator = jsonschema.Draft202012Validator(schemas.schema(section))
    files = (CONFIG / section.FOLDER).glob("*.yaml") if issubclass(section, Entry) else [CONFIG / f"{kind}.yaml"]
    for path in files:
        validator.validate(yaml.safe_load(path.read_text(encoding="utf-8")))
