"""The list of entries."""

import yaml
from support.rejections import rejected

from instruction_selection.experiment import catalogue


def test_text__lists_every_entry_with_its_summary(repository):
    listed = " ".join(catalogue.text(repository / "config").split())
    for kind, key in catalogue.KINDS.items():
        for path in (repository / "config" / kind).glob("*.yaml"):
            assert f"{path.stem} " + " ".join(yaml.safe_load(path.read_text())[key].split()) in listed


def test_text__names_an_entry_without_summary(tmp_path):
    (tmp_path / "pools").mkdir()
    (tmp_path / "pools" / "bare.yaml").write_text("label: Bare\n")
    with rejected("nothing-to-list", path="pools/bare.yaml", key="summary"):
        catalogue.text(tmp_path)
