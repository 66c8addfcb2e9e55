"""The SVReID layout."""

import numpy as np
import pytest
from tests.datasets import layouts

from s2reid import datasets
from s2reid.datasets import svreid
from s2reid.types import DISTRACTOR, UNKNOWN, Tracklet


def test_lists_cameras_and_outfits(tmp_path):
    dataset = svreid.load(layouts.write_svreid(tmp_path))
    assert dataset.name == "svreid"
    assert [(t.person, t.camera, t.outfit) for t in dataset.train] == [(1, 3, 0), (1, 4, 1), (7, 3, 0)]  # 2 before 10
    assert [(t.person, t.camera, t.outfit) for t in dataset.query] == [(8, 1, 0)]
    assert [(t.person, t.camera, t.outfit) for t in dataset.gallery] == [(8, 2, 0), (8, 2, 1)]
    assert dataset.train[1].frames == ("1/10/4/1.jpg", "1/10/4/2.jpg", "1/10/4/10.jpg")
    assert dataset.num_persons == 2
    assert dict(dataset.origin) == {"layout": "svreid", "root": str(tmp_path)}


@pytest.mark.parametrize("name", ["svreid_cc", "svreid-cc"])
def test_another_list(tmp_path, name):
    dataset = svreid.load(layouts.write_svreid(tmp_path), list=name)
    assert (dataset.name, len(dataset.train)) == ("svreid_cc", 1)


def test_query_and_gallery_may_be_missing_or_empty(tmp_path):
    layouts.write_svreid(tmp_path)
    (tmp_path / "query.txt").unlink()
    (tmp_path / "gallery.txt").write_text("")
    dataset = svreid.load(tmp_path)
    assert (len(dataset.train), dataset.query, dataset.gallery) == (3, (), ())


COUNTS = {"persons": 3, "cameras": 4, "outfits": 5, "tracklets": 6, "images": 18, "scenes": 5}


def test_a_rendered_set_keeps_its_name_and_is_checked(tmp_path):
    layouts.write_svreid(tmp_path)
    layouts.write_marker(tmp_path, name="world-7", seed=7, finished=True, counts={**COUNTS, "train": {"tracklets": 3}})
    dataset = datasets.load(f"svreid:{tmp_path}")
    assert dataset.name == "world-7"
    assert dataset.origin["seed"] == 7


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({**COUNTS, "persons": 4}, "world-7 at .* has 3 persons, expected 4: was the copy or the extraction cut short"),
        ({**COUNTS, "images": 18000}, "has 18 images, expected 18,000"),
        ({**COUNTS, "gallery": {"tracklets": 1}}, "has 2 gallery tracklets, expected 1"),
    ],
)
def test_counts_that_differ(tmp_path, counts, message):
    layouts.write_svreid(tmp_path)
    layouts.write_marker(tmp_path, name="world-7", counts=counts)
    with pytest.raises(ValueError, match=message):
        datasets.load(f"svreid:{tmp_path}")


def test_a_list_may_have_its_own_counts(tmp_path):
    layouts.write_svreid(tmp_path)
    layouts.write_marker(tmp_path, name="world-7", counts={"svreid": COUNTS, "svreid_cc": {"tracklets": 5}})
    assert datasets.load(f"svreid:{tmp_path}").name == "world-7"
    with pytest.raises(ValueError, match="has 4 tracklets, expected 5"):
        datasets.load(f"svreid:{tmp_path}?list=svreid_cc")


def test_an_unfinished_render_is_refused(tmp_path):
    layouts.write_svreid(tmp_path)
    layouts.write_marker(tmp_path, name="world-7", finished=False)
    with pytest.raises(ValueError, match="unfinished render: run the same `s2reid world` command again to finish it"):
        svreid.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"), [("{", "cannot read .*world.json"), ("{}", "does not name its dataset")]
)
def test_a_broken_marker(tmp_path, content, message):
    layouts.write_svreid(tmp_path)
    (tmp_path / "world.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        svreid.load(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1/2/3 1", r"train_svreid.txt, line 4: found '1/2/3 1', expected `<path ending in the camera's number>"),
        ("1/2/cam3 1 2", "line 4: found '1/2/cam3 1 2', expected"),
        ("1/2/3 one 2", "line 4: found '1/2/3 one 2', expected"),
        ("1/2/3 1 2", "line 4: the tracklet 1/2/3 is listed twice"),
        ("1\\\\2\\\\3/ 1 2", "line 4: the tracklet 1/2/3 is listed twice"),
        (f"1/2/{2**63} 1 2", rf"1/2/{2**63}: the number {2**63} is larger than a label can be"),
        (
            "1/2/9 1 2",
            r"lacks 1 folders of listed tracklets \(1/2/9\), it has 3 of 4 in train_svreid.txt, 1 of 1 in query.txt, "
            "2 of 2 in gallery.txt: is the extraction complete",
        ),
    ],
)
def test_lines_that_do_not_parse(tmp_path, line, message):
    layouts.write_svreid(tmp_path)
    with open(tmp_path / "train_svreid.txt", "a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match=message):
        svreid.load(tmp_path)


def test_missing_lists(tmp_path):
    root = layouts.write_svreid(tmp_path / "a" / "SVReID")
    with pytest.raises(ValueError, match="no list named 'all': there are svreid, svreid_cc, svreid_plus"):
        svreid.load(root, list="all")
    with pytest.raises(ValueError, match="no list named '5': there are svreid"):
        datasets.load(f"svreid:{root}?list=5")
    with pytest.raises(ValueError, match=r"train_svreid_plus.txt does not exist: the lists here are svreid, svreid_cc"):
        svreid.load(root, list="svreid_plus")
    for off in (root / "1", root.parent):
        with pytest.raises(ValueError, match=r"does not exist: it is in .*SVReID, give that folder"):
            svreid.load(off)
    with pytest.raises(ValueError, match=r"does not exist: it is in .*a/SVReID, give that folder"):
        svreid.load(tmp_path)
    layouts.write_persons(tmp_path / "shop")
    with pytest.raises(ValueError, match=r"does not exist: .*shop holds 2 folders \(p_4, p_31\)"):
        svreid.load(tmp_path / "shop")
    (root / "train_svreid.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"train_svreid.txt lists no tracklet"):
        svreid.load(root)


def test_folders_that_are_no_tracklet(tmp_path):
    layouts.write_svreid(tmp_path)
    (tmp_path / "1/2/3/deeper").mkdir()
    with pytest.raises(ValueError, match=r"1/2/3 holds both frames and folders \(such as deeper\)"):
        svreid.load(tmp_path)
    (tmp_path / "1/2/3/deeper").rmdir()
    for frame in (tmp_path / "1/2/3").iterdir():
        frame.rename(frame.with_suffix(".raw"))
    with pytest.raises(ValueError, match=r"holds no frame \(.jpg .jpeg .png .bmp\): .* holds 3 files \(1.raw, 2.raw"):
        svreid.load(tmp_path)


def test_what_counts_as_a_frame(tmp_path):
    layouts.write_svreid(tmp_path)
    layouts.write_frames(tmp_path / "1/2/3", ["3.JPG", "4.Png", "5.jpeg", "6.bmp", "notes.txt", "._1.jpg"])
    frames = svreid.load(tmp_path).train[0].frames
    assert [name.rpartition("/")[2] for name in frames] == [
        "1.jpg",
        "2.jpg",
        "3.JPG",
        "4.Png",
        "5.jpeg",
        "6.bmp",
        "10.jpg",
    ]


def select_by_loops(tracklets, outfits):
    """The rule, word for word."""
    kept = []
    for tracklet in tracklets:
        times = {}
        for other in tracklets:
            if other.person == tracklet.person:
                times[other.outfit] = times.get(other.outfit, 0) + 1
        better = 0
        for outfit, count in times.items():
            mine = times[tracklet.outfit]
            if count > mine or (count == mine and outfit < tracklet.outfit):
                better += 1
        if tracklet.person < 0 or better < outfits:
            kept.append(tracklet)
    return tuple(kept)


@pytest.mark.parametrize("outfits", [1, 2, 8])
@pytest.mark.parametrize("seed", range(3))
def test_the_selection_rule(outfits, seed):
    drawn = np.random.default_rng(seed).integers((0, 0, 0), (6, 12, 14), (150, 3)).tolist()
    source = [Tracklet(".", (str(row),), *numbers) for row, numbers in enumerate(drawn)]
    source += [Tracklet(".", ("x",), person, 0, outfit) for person in (UNKNOWN, DISTRACTOR) for outfit in range(9)]
    kept = svreid.select(iter(source), outfits)
    assert kept == select_by_loops(source, outfits)
    assert {t.person for t in kept} == {t.person for t in source}
    worn = {person: len({t.outfit for t in kept if t.person == person}) for person in range(6)}
    assert set(worn.values()) == {outfits}
    assert svreid.select(kept, outfits) == kept
    assert svreid.select(svreid.select(source, 8), outfits) == kept  # so a list may be made from either larger one


def test_no_outfits_at_all():
    assert svreid.select([]) == ()
    with pytest.raises(ValueError, match="cannot keep 0 outfits of a person: keep at least 1"):
        svreid.select([], 0)


def write_plus(root, counts):
    """Write every outfit of one person, worn so many times each, and nothing else."""
    lines = [f"1/{outfit}/{camera} 1 {outfit}" for outfit, times in counts.items() for camera in range(times)]
    return layouts.write_lists(root, {"train_svreid_plus": lines})


def test_lists_that_are_missing_are_made_by_the_rule(tmp_path):
    root = write_plus(tmp_path, dict(zip(range(10), [1, 3, 1, 2, 3, 2, 2, 1, 2, 2])))
    layouts.write_marker(root, name="world-7", counts={"outfits": 10, "tracklets": 19})
    plus = datasets.load(f"svreid:{root}?list=svreid_plus")
    assert len(plus.train) == 19
    assert "selected" not in plus.origin
    one, eight = datasets.load(f"svreid:{root}"), datasets.load(f"svreid:{root}?list=svreid_cc")
    assert {t.outfit for t in one.train} == {1}
    assert {t.outfit for t in eight.train} == {0, 1, 3, 4, 5, 6, 8, 9}
    assert (one.train, eight.train) == (svreid.select(plus.train), svreid.select(plus.train, 8))
    assert one.origin["selected"] == "1 outfits a person of train_svreid_plus.txt"
    assert eight.origin["selected"] == "8 outfits a person of train_svreid_plus.txt"
    assert (one.query, one.gallery, one.name) == ((), (), "world-7")


def test_a_list_that_was_made_may_be_promised(tmp_path):
    root = write_plus(tmp_path, {0: 1, 1: 2})
    layouts.write_marker(root, name="world-7", counts={"svreid": {"tracklets": 3}, "svreid_plus": {"tracklets": 3}})
    assert len(datasets.load(f"svreid:{root}?list=svreid_plus").train) == 3
    with pytest.raises(ValueError, match="has 2 tracklets, expected 3"):
        datasets.load(f"svreid:{root}")
