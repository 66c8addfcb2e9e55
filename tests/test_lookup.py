"""The file is the registry."""

import pytest

from s2reid import lookup


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("backbones", {"c2d"}),
        ("methods", {"source_only", "target_bn"}),
        ("losses", {"identity", "triplet"}),
        ("datasets", {"cameras", "csv", "ilids_vid", "persons", "svreid"}),
    ],
)
def test_names_are_the_files_and_every_one_is_found(package, expected):
    found = lookup.names(package)
    assert found == sorted(found)
    assert expected <= set(found)
    assert not any(name.startswith("_") for name in found)
    for name in found:
        assert lookup.find(package, name).__name__ == f"s2reid.{package}.{name}"


def test_a_dash_counts_as_an_underscore():
    assert lookup.find("methods", "source-only") is lookup.find("methods", "source_only")


@pytest.mark.parametrize("name", ["sorce_only", "_rendered", "", "../cli", "source_only.x"])
def test_a_wrong_name_is_answered_with_what_there_is(name):
    known = ", ".join(lookup.names("methods"))
    with pytest.raises(ValueError, match=f"no method named '.*': there are {known}"):
        lookup.find("methods", name)


def test_a_near_miss_is_suggested():
    with pytest.raises(ValueError, match=r"; did you mean 'source_only'\?$"):
        lookup.find("methods", "sorce_only")
