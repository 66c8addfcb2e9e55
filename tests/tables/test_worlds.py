"""The worlds of the tables, rendered at their smallest."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from s2reid.tables import worlds
from s2reid.tables.grid import Asked
from s2reid.tables.sets import Sets
from s2reid.tables.worlds import World
from s2reid.world import write


@pytest.mark.slow
def test_every_world_is_rendered_once_and_read(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "write", partial(write.write, workers=1))
    assert len(worlds.WORLDS) == 8
    for name, world in [*worlds.WORLDS.items()]:
        size = {"size": "tiny"} if "size" in world.size else {"persons": 4, "frames": 1, "height": 32}
        monkeypatch.setitem(worlds.WORLDS, name, replace(world, size=size))
        assert not worlds.is_there(name, tmp_path)
        made = worlds.load(name, tmp_path)
        assert made.name == (world.preset or name)
        assert made.num_persons >= 2
        assert worlds.is_there(name, tmp_path)
        assert (tmp_path / name / "truth.json").is_file() == name.startswith("standin-")
    for scale in ("small", "paper"):
        get = Sets(Asked(tmp_path / "..", scale=scale))
        monkeypatch.setattr(Asked, "worlds", tmp_path)
        outfits = {tracklet.outfit for tracklet in get("svreid-cc").train}
        assert len(outfits) > 1
        assert {tracklet.outfit for tracklet in get("svreid").train} == {0}
        assert {Path(get(name).train[0].store).name for name in ("svreid", "svreid-cc")} == (
            {"svreid", "svreid-cc"} if scale == "small" else {"svreid-256", "svreid-cc-256"}
        )  # found, not planned


def test_a_world_without_its_truth_stays_so(tmp_path, monkeypatch):
    world = World("svreid:{}", {"persons": 2, "frames": 1, "height": 16}, truth=True)
    monkeypatch.setitem(worlds.WORLDS, "svreid", world)
    write.write("svreid", tmp_path / "svreid", **world.size, workers=1)
    worlds.load("svreid", tmp_path)
    assert not (tmp_path / "svreid" / "truth.json").exists()


def test_a_picture_of_a_world_is_drawn_once(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(worlds, "show", lambda name, path, **asked: drawn.append((name, asked)) or path)
    assert worlds.picture("svreid", tmp_path) == tmp_path / "svreid.png"
    assert drawn == [("svreid", {"persons": worlds.PICTURED, "seed": worlds.SEED})]
    (tmp_path / "svreid.png").touch()
    worlds.picture("svreid", tmp_path)
    assert len(drawn) == 1


def test_another_world_in_its_place_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(worlds.WORLDS, "svreid", World("svreid:{}", {"persons": 2, "frames": 1, "height": 16}))
    write.write("svreid", tmp_path / "svreid", persons=3, frames=1, height=16, workers=1)
    with pytest.raises(ValueError, match="holds a world with persons 3, asked for 2"):
        worlds.load("svreid", tmp_path)
