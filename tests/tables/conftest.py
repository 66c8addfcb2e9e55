"""Data of a few persons under the names of the tables' worlds, which nothing renders."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests import tiny

from s2reid.types import Dataset


@pytest.fixture(scope="session")
def people(tmp_path_factory, source, target):
    """A source and a target under every name; the target that stands for CCVID changes clothes."""
    walks = tiny.write_tracklets(tmp_path_factory.mktemp("walks"), [4] * 4)
    dressed = tuple(replace(walk, outfit=walk.camera // 2) for walk in walks)
    query, gallery = ([walk for walk in dressed if walk.camera % 2 == side] for side in (0, 1))
    ccvid = Dataset(
        "standin-ccvid", dressed, tuple(query), tuple(gallery), {"preset": "standin-ccvid"}, protocol="ccvid"
    )
    return {
        "svreid": replace(source, name="svreid"),
        "svreid-cc": replace(source, name="svreid-cc"),
        "standin-mars": replace(target, name="standin-mars"),
        "standin-ilids": replace(target, name="standin-ilids"),
        "standin-prid": replace(target, name="standin-prid"),
        "standin-ccvid": ccvid,
    }


@pytest.fixture
def data(people, monkeypatch):
    """Put these people where the tables look for worlds."""
    from s2reid.tables import worlds

    monkeypatch.setattr(worlds, "is_there", lambda name, root: True)
    monkeypatch.setattr(worlds, "load", lambda name, root, split=0: people[name])
    monkeypatch.setattr(worlds, "picture", lambda name, root: Path(people[name].train[0].paths()[0]))
    return lambda name, split=0: people[name]
