"""The stand-ins on disk, as the loaders of the real datasets find them."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from s2reid import cli, datasets
from s2reid.types import DISTRACTOR
from s2reid.world import film, layouts, presets, request, write

SMALLEST = {"persons": 4, "frames": 5, "height": 32}
LOADERS = {
    "standin-mars": "mars",
    "standin-ilids": "ilids_vid",
    "standin-prid": "prid2011",
    "standin-ccvid": "ccvid",
}


def digest(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module", params=LOADERS)
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write.write(request.param, tmp_path_factory.mktemp("world") / request.param, **SMALLEST, workers=1)


def test_the_real_loader_finds_what_the_marker_counts(rendered: Path) -> None:
    marker = write.read_marker(rendered)
    dataset = datasets.load(f"{LOADERS[marker['name']]}:{rendered}")  # compares every count with the marker's
    assert dataset.name == marker["name"] == rendered.name
    assert dataset.protocol == LOADERS[marker["name"]]
    assert dataset.expected == marker["counts"]
    assert {"persons", "tracklets", "images", "cameras", "outfits"} <= marker["counts"].keys()
    for part in ("train", "query", "gallery"):
        assert {"persons", "tracklets", "cameras", "outfits"} <= marker["counts"][part].keys()
    frames = [path for part in (dataset.train, dataset.query, dataset.gallery) for t in part for path in t.paths()]
    assert len(frames) == len(set(frames)) == marker["counts"]["images"]
    for path in frames[:: len(frames) // 10]:
        assert cv2.imread(path).shape == (32, 16, 3)
    assert marker["preset_version"] == presets.find(marker["name"]).version


def test_every_split_has_the_promised_counts(rendered: Path) -> None:
    loader = LOADERS[rendered.name]
    if layouts.find(loader).SPLITS == 1:
        assert loader in ("mars", "ccvid")
        return
    halves = {
        tuple(tracklet.person for tracklet in datasets.load(f"{loader}:{rendered}", split=split).query)
        for split in range(10)
    }
    assert len(halves) > 2


def test_whom_the_system_does_not_know_is_a_distractor(rendered: Path) -> None:
    if rendered.name != "standin-mars":
        return
    dataset = datasets.load(f"mars:{rendered}")
    strangers = [tracklet for tracklet in dataset.gallery if tracklet.person == DISTRACTOR]
    planned = presets.plan(presets.sized(presets.find("standin-mars"), *SMALLEST.values()), 0)
    assert len(strangers) == sum(item.part == "gallery" and item.kind != "person" for item in planned) > 5
    assert {path.name for path in rendered.joinpath("bbox_test").iterdir()} >= {"0000", "00-1", "0002"}
    names = (rendered / "info" / "test_name.txt").read_text().splitlines()
    assert names[0].startswith("00-1C")
    assert all((rendered / "bbox_test" / name[:4] / name).is_file() for name in names)


def test_a_contact_sheet_of_every_layout(rendered: Path, tmp_path: Path) -> None:
    sheet = cv2.imread(str(write.contact_sheet(rendered, tmp_path / "sheet.png", persons=4)))
    assert sheet.std() > 20


@pytest.mark.slow
def test_files_do_not_depend_on_workers_or_on_being_stopped(rendered: Path, tmp_path: Path) -> None:
    """In shared folders tracklets are missing or end too early; two processes fill the gaps."""
    if rendered.name != "standin-mars":
        return
    preset = presets.sized(presets.find(rendered.name), *SMALLEST.values())
    layout, root, kept = layouts.find(preset.layout), tmp_path / "w", 0
    for item in presets.plan(preset, 0):
        count = item.index % 3 * item.frames // 2
        (root / layout.folder(item)).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            path = Path(layout.folder(item), layout.frame_name(item, index))
            (root / path).write_bytes((rendered / path).read_bytes())
            kept += 1
    assert 0.2 * len(digest(rendered)) < kept < 0.8 * len(digest(rendered))
    marker = json.loads((rendered / write.MARKER).read_text())
    (root / write.MARKER).write_text(json.dumps(marker | {"finished": False}))
    write.write(rendered.name, root, **SMALLEST, workers=2)
    assert digest(root) == digest(rendered)


def test_another_version_of_a_stand_in_is_refused(rendered: Path, tmp_path: Path) -> None:
    marker = json.loads((rendered / write.MARKER).read_text())
    (tmp_path / write.MARKER).write_text(json.dumps(marker | {"preset_version": 99}))
    with pytest.raises(ValueError, match="holds a world with preset_version 99, asked for"):
        write.write(rendered.name, tmp_path, **SMALLEST)


# Domains


def test_every_stand_in_has_things_that_no_other_world_has() -> None:
    sources = [preset for preset in presets.PRESETS.values() if preset.layout == "svreid"]
    targets = [preset for preset in presets.PRESETS.values() if preset.layout != "svreid"]
    assert (len(sources), len(targets)) == (4, 4)
    for target in targets:
        others = [preset for preset in presets.PRESETS.values() if preset is not target]
        assert len(target.things) >= 8
        for other in others:
            assert not target.things & other.things, (target.name, other.name)
            assert target.space != other.space


def test_every_stand_in_has_cameras_as_no_source_has() -> None:
    sources = [preset.cameras for preset in presets.PRESETS.values() if preset.layout == "svreid"]
    mars, ilids, prid, ccvid = (presets.find(name).cameras for name in LOADERS)
    for source in sources:
        assert source.fringe == source.bleed == source.flicker == (0, 0)
        assert (source.interlaced, source.frontal, source.cast) == (0, False, (1, 1, 1))
        assert mars.jitter[0] >= source.jitter[1]
        assert mars.sun[1] > source.sun[1]
        assert prid.distance[0] > source.distance[1]
        assert prid.height[0] > source.height[1]
        assert prid.stature[1] < source.stature[0]
        assert ccvid.distance[1] < source.distance[0]
        assert ccvid.stature[0] > source.stature[1]
    assert mars.fringe[0] > 0
    assert ilids.interlaced == 1
    assert ilids.bleed[0] > 0
    assert ccvid.frontal
    assert ccvid.flicker[0] > 0
    sources = [preset.wardrobe for preset in presets.PRESETS.values() if preset.layout == "svreid"]
    for wardrobe in sources:
        assert {"plaid"} <= {*presets.find("standin-ilids").wardrobe.patterns} - {*wardrobe.patterns}


def test_a_wrong_detector_looks_through_the_same_camera() -> None:
    asked = request.request("standin-mars", size="tiny")
    cameras = {kind: asked.world(2, kind).camera(2)[0] for kind in ("person", "stranger", "nobody", "piece", "crowd")}
    right = cameras.pop("person")
    for kind, wrong in cameras.items():
        np.testing.assert_array_equal(wrong.matrix, right.matrix)
        np.testing.assert_array_equal(wrong.sensor.matrix, right.sensor.matrix)
        assert wrong.light.direct.tolist() == right.light.direct.tolist()
        assert (wrong.loose == right.loose) == (kind in ("stranger", "nobody"))
    assert cameras["piece"].loose < 0 < cameras["crowd"].loose


def test_nobody_is_nowhere() -> None:
    """A box around a figure without faces shows what the camera sees behind it."""
    asked = request.request("standin-mars", size="tiny", height=64)
    item = next(item for item in asked.plan() if item.kind == "nobody")
    figure = asked.dress(item)
    empty = request.hidden(figure)
    assert len(empty.mesh.faces) == 0
    seen = {
        name: np.stack([*asked.world(item.setting, item.kind).film(item, who)])
        for name, who in (("person", figure), ("nobody", empty))
    }
    np.testing.assert_array_equal(
        seen["nobody"][: item.frames], np.stack([shot.crop for shot in asked.shots(item, figure, is_examined=False)])
    )
    assert (seen["nobody"] != seen["person"]).mean() > 0.1


def test_settings_have_their_own_clothes_places_and_light() -> None:
    asked = request.request("standin-ccvid", size="tiny")
    worlds = [asked.world(session) for session in range(3)]
    assert len({world.preset.places for world in worlds}) == 3
    assert len({world.preset.wardrobe for world in worlds}) == 3
    assert worlds[2].preset.places.is_snowy
    assert worlds[0].camera(0)[1].is_indoor is False
    figures = [world.person(0).texture for world in worlds]
    assert (figures[0] != figures[2]).mean() > 0.1
    shared = request.request("standin-mars", size="tiny")
    assert shared.world(0).passer_by is shared.world(4, "piece").passer_by
    assert shared.world(0).scene is shared.world(4, "piece").scene
    assert isinstance(shared.world(0), film.World)


# The command


def test_the_command_takes_a_size_and_what_changes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "w"
    asked = ["world", "standin-prid", str(out), "--size", "tiny", "--persons", "2", "--height", "16", "--workers", "1"]
    monkeypatch.setattr("sys.argv", ["s2reid", *asked])
    cli.main()
    said = capsys.readouterr().out
    assert said.startswith("standin-prid: 9 persons, 11 tracklets, 44 images, about")
    assert f"wrote {out}" in said
    marker = write.read_marker(out)
    assert {name: marker[name] for name in ("persons", "frames", "height")} == {"persons": 2, "frames": 4, "height": 16}
    monkeypatch.setattr("sys.argv", ["s2reid", "world", "svreid", str(tmp_path / "v"), "--size", "tiny"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "svreid has no size 'tiny': only stand-ins have sizes" in capsys.readouterr().err
    assert not (tmp_path / "v").exists()
