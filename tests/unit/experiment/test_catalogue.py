"""The list of entries."""

import pytest
import yaml

from instruction_selection.core.errors import InputError
from instruction_selection.experiment import catalogue


def test_every_entry_is_listed_with_its_summary(repository):
    listed = " ".join(catalogue.text(repository / "config").split())
    for kind, key in catalogue.KINDS.items():
        for path in (repository / "config" / kind).glob("*.yaml"):
            assert f"{path.stem} " + " ".join(yaml.safe_load(path.read_text())[key].split()) in listed


def test_an_entry_without_summary_is_named(tmp_path):
    (tmp_path / "pools").mkdir()
    (tmp_path / "pools" / "bare.yaml").write_text("label: Bare\n")
    with pytest.raises(InputError, match="bare.yaml: has no summary"):
        catalogue.text(tmp_path)
