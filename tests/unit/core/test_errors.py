"""The error for a mistake of the user."""

from instruction_selection.core.errors import InputError


def test_in_file__adds_the_file_to_an_error_that_has_none():
    found = InputError("unknown", "is unknown", key="template").in_file("config/models/x.yaml")
    assert (found.code, found.path, found.key) == ("unknown", "config/models/x.yaml", "template")
    assert str(found) == "config/models/x.yaml: template: is unknown."


def test_in_file__keeps_the_file_that_an_error_has():
    error = InputError("unknown", "is unknown", path="other.yaml")
    assert error.in_file("config/models/x.yaml") is error
