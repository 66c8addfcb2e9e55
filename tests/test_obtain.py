"""Where the datasets come from: every one has an answer, and the page says the same."""

import re

import pytest
from tests.shared import ROOT

from s2reid import lookup, obtain

DOCS = (ROOT / "docs" / "datasets.md").read_text("utf-8")


def section(name):
    found = re.search(rf"^## [^\n]*`{name}`[^\n]*\n(.*?)(?=^## |\Z)", DOCS, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def test_every_dataset_has_a_source_or_is_one_s_own():
    assert sorted([*obtain.SOURCES, *obtain.OWN]) == lookup.names("datasets")


@pytest.mark.parametrize("name", lookup.names("datasets"))
def test_every_dataset_has_a_section(name):
    assert section(name)


@pytest.mark.parametrize("name", obtain.SOURCES)
def test_the_page_says_what_the_command_says(name):
    source = obtain.SOURCES[name]
    said = section(name)
    assert [page for page in source.pages if page not in said] == []
    if source.preset:
        assert f"s2reid world {source.preset}" in said
    for row in ("from", "terms", "layout", "counts", "protocol", "pitfalls"):
        assert f"| {row} |" in said


@pytest.mark.parametrize("name", obtain.SOURCES)
def test_the_page_has_the_published_counts(name):
    published = getattr(lookup.find("datasets", name), "PUBLISHED", {})
    parts = [published, *(part for part in published.values() if isinstance(part, dict))]
    numbers = {f"{number:,}" for part in parts for number in part.values() if isinstance(number, int)}
    said = set(re.findall(r"[0-9][0-9,]*[0-9]|[0-9]", section(name)))
    implied = {"356"} if name == "prid2011" else set()  # twice the persons
    assert numbers - said - implied == set()
    assert numbers or name == "svreid"


def test_what_the_command_says():
    text = obtain.find("mars")
    assert text.startswith("MARS: s2reid downloads nothing")
    assert "terms   for research" in text
    assert (
        "put it under the data root as mars/{bbox_train, bbox_test, info}, and look at it: s2reid data check mars"
        in text
    )
    assert "s2reid world standin-mars worlds/standin-mars" in text
    assert obtain.find("LS-VID").startswith("LS-VID: ")
    assert "render" not in obtain.find("ls_vid")


def test_stand_ins_are_rendered_by_presets_that_exist():
    from s2reid.world import presets

    named = {source.preset for source in obtain.SOURCES.values() if source.preset}
    assert named <= set(presets.NAMES)
    standins = {name for name in presets.NAMES if name.startswith("standin-")}
    assert standins == {preset for preset in named if preset.startswith("standin-")}
    assert len(standins) == 4
    for name in standins:
        assert f"s2reid world {name} worlds/{name}\n" in obtain.find(name)
        assert f"s2reid data check {presets.find(name).layout}:worlds/{name}" in obtain.find(name)


def test_one_s_own_recordings_and_names_that_are_none():
    said = "is a layout for your own recordings (person/camera/frames), there is nothing to get: see docs/data.md"
    assert obtain.find("persons") == f"persons {said}"
    with pytest.raises(
        ValueError, match=r"no dataset named 'maris': there are mars, ilids_vid, .*standin-mars.*, cameras"
    ):
        obtain.find("maris")


@pytest.mark.parametrize("name", ["dukemtmc", "DukeMTMC-VideoReID"])
def test_what_was_withdrawn_is_not_here(name):
    with pytest.raises(ValueError, match="DukeMTMC was taken down by its university in April 2019"):
        obtain.find(name)
    assert "DukeMTMC is absent" in DOCS
