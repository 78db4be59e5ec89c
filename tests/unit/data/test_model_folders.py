"""A model's folder is looked at before any job starts."""

import pytest
from support import stand_ins
from support.rejections import rejected

from instruction_selection.core.errors import InputError
from instruction_selection.data import model_folders
from instruction_selection.experiment import program_names
from instruction_selection.models import tokens


def _folder(tmp_path, *names):
    for name in names:
        (tmp_path / name).touch()
    return tmp_path


def test_folder__with_configuration_weights_and_tokenizer_passes(tmp_path):
    model_folders.check(_folder(tmp_path, "config.json", "model-00001-of-00002.safetensors", "tokenizer.json"))


def test_folder__of_no_model_is_rejected(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with rejected("not-a-model", path=folder, key="source.folder"):
            model_folders.check(folder)


def test_folder__with_pickled_weights_is_rejected_by_their_name(tmp_path):
    folder = _folder(tmp_path, "config.json", "pytorch_model.bin", "tokenizer.json")
    with rejected("no-safetensors", path=folder, key="source.folder") as caught:
        model_folders.check(folder)
    assert "pytorch_model.bin" in str(caught.value)


def test_folder__without_tokenizer_is_rejected(tmp_path):
    folder = _folder(tmp_path, "config.json", "model.safetensors", "tokenizer_config.json")
    with rejected("no-tokenizer", path=folder, key="source.folder"):
        model_folders.check(folder)


def _codes(*checks) -> list[str | None]:
    """The code with which each check rejects, or None."""
    found = []
    for check in checks:
        try:
            check()
            found.append(None)
        except InputError as error:
            found.append(error.code)
    return found


@pytest.mark.parametrize("template", ["alpaca", "alpaca_bos", "llama3", "mistral", "gemma", "vicuna", "smollm_eot"])
@pytest.mark.parametrize("make", [stand_ins.llama_3, stand_ins.mistral, stand_ins.gemma])
def test_template__without_bos_is_seen_in_the_files_as_in_the_tokens(tmp_path, make, template):
    make().save_pretrained(tmp_path)
    before, prepared = _codes(
        lambda: model_folders.check_template(tmp_path, template, program_names.may_write_bos(template)),
        lambda: tokens.row_form(make(), template),
    )
    expected = template in ("alpaca", "vicuna", "smollm_eot")
    assert [code == "template-without-bos" for code in (before, prepared)] == [expected] * 2


def test_template__of_a_tokenizer_without_bos_may_have_none(tmp_path, tiny_model):
    model_folders.check_template(tiny_model, "alpaca", writes_bos=False)


def test_template__of_the_tokenizer_has_to_be_there(tmp_path, tiny_model):
    model_folders.check_template(tiny_model, "tokenizer", writes_bos=True)
    stand_ins.mistral().save_pretrained(tmp_path)
    with rejected("no-chat-template", key="template"):
        model_folders.check_template(tmp_path, "tokenizer", writes_bos=True)
