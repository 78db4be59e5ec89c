"""A model's folder is looked at before any job starts."""

from support.rejections import rejected

from instruction_selection.data import model_folders


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
