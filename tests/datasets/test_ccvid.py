"""The CCVID layout."""

import itertools
import shutil

import pytest
from tests.datasets import layouts

from s2reid import datasets
from s2reid.datasets import ccvid
from s2reid.video import decode


@pytest.fixture
def standin(tmp_path):
    root = layouts.write_ccvid(tmp_path / "set")
    layouts.write_marker(root, name="standin-ccvid", counts={"persons": 2, "tracklets": 7, "outfits": 5})
    return root


def labels(tracklets):
    return [(tracklet.person, tracklet.camera, tracklet.outfit) for tracklet in tracklets]


def test_cameras_and_outfits_over_all_lists(standin):
    dataset = datasets.load(f"ccvid:{standin}")
    assert labels(dataset.train) == [(1, 2, 0), (1, 10, 1), (1, 14, 1)]  # u2 before u10; session 3 is camera 12 further
    assert labels(dataset.query) == [(150, 1, 1), (150, 24, 0)]
    assert labels(dataset.gallery) == [(150, 12, 1), (150, 13, 2)]  # u1 has one number in query and gallery
    assert dataset.train[0].frames == tuple(f"session1/001_02/{number}.jpg" for number in (1, 2, 10))
    assert (dataset.name, dataset.protocol) == ("standin-ccvid", "ccvid")


@pytest.mark.parametrize("given", [".", "image"])
def test_sessions_or_everything_in_a_folder_image(standin, given):
    expected = ccvid.load(standin)
    (standin / "image").mkdir()
    for session in ("session1", "session2", "session3"):
        shutil.move(standin / session, standin / "image")
    if given == "image":
        for part in ccvid.PARTS:
            shutil.move(standin / f"{part}.txt", standin / "image")
        assert ccvid.load(standin).query == ccvid.load(standin / given).query
    dataset = ccvid.load(standin / given)
    assert dataset.name == "standin-ccvid"
    for part in ccvid.PARTS:
        ours, theirs = getattr(dataset, part), getattr(expected, part)
        assert [(t.frames, t.outfit) for t in ours] == [(t.frames, t.outfit) for t in theirs]
        assert all(t.store == str(standin / "image") for t in ours)


def test_a_prefix_in_the_lists(tmp_path):
    lists = {part: [f"image/{line}" for line in lines] for part, lines in layouts.CCVID.items()}
    dataset = ccvid.load(layouts.write_lists(tmp_path, lists))
    assert labels(dataset.query) == [(150, 1, 1), (150, 24, 0)]
    assert dataset.query[0].frames[0] == "image/session2/150_01/1.jpg"


def test_the_published_parts_make_the_whole():
    assert sum(ccvid.PUBLISHED[part]["tracklets"] for part in ccvid.PARTS) == ccvid.PUBLISHED["tracklets"]
    assert (ccvid.PUBLISHED["persons"], ccvid.PUBLISHED["outfits"]) == (75 + 151, 159 + 321)


@pytest.mark.slow
def test_the_real_counts(tmp_path):
    """Every published count but that of the images, which would be a third of a million files."""
    lists = {part: [] for part in ccvid.PARTS}
    for person in range(1, 227):
        part = "train" if person <= 75 else "test"
        first = person if part == "train" else person - 75
        walks = [(1 if person <= 147 else 2, walk) for walk in range(1, 13)]
        walks += [(3, walk) for walk in range(1, 13)] * (first <= (4 if part == "train" else 8))
        outfits = itertools.cycle(range(3 if first <= (9 if part == "train" else 19) else 2))
        for (session, walk), outfit in zip(walks, outfits):
            place = "train" if part == "train" else "query" if len(lists["query"]) < 834 else "gallery"
            lists[place].append(f"session{session}/{person:03d}_{walk:02d}\t{person:03d}\tu{outfit}")
    root = layouts.write_lists(tmp_path, lists, num_frames=1)
    with pytest.raises(ValueError, match=r"ccvid at .* has 2,856 images, expected 347,833: was the copy"):
        datasets.load(f"ccvid:{root}")
    dataset = ccvid.load(root)
    assert [len(part) for part in (dataset.train, dataset.query, dataset.gallery)] == [948, 834, 1_074]


def test_an_empty_frame_is_found_when_it_is_decoded(standin):
    (standin / "session1/001_02/2.jpg").write_bytes(b"")
    store, frames = ccvid.load(standin).train[0].store, ccvid.load(standin).train[0].frames
    with pytest.raises(ValueError, match=r"the frame .*001_02/2.jpg is empty \(0 bytes\): copy it again or remove it"):
        decode.read_frame(store, frames[1])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("session1/001_03 1", r"query.txt, line 3: found 'session1/001_03 1', expected `<session 1 to 3/person_walk"),
        ("session1/001_03 one u0", "line 3: found 'session1/001_03 one u0', expected"),
        ("session1/001 1 u0", "line 3: found 'session1/001 1 u0', expected"),
        ("session4/001_03 1 u0", "line 3: found"),
        ("session1/001_13 1 u0", "line 3: found"),
        ("session1/001_00 1 u0", "line 3: found"),
        ("001_03 1 u0", "line 3: found"),
        ("session1/001_03/0001.jpg 1 u0", "line 3: found"),
        (f"session1/001_03 {2**63} u0", rf"line 3: the number {2**63} is larger than a label can be"),
        (f"session1/001_03 {'9' * 9999} u0", r"line 3: the number 9{30} is larger than a label can be"),
        ("./session2/150_01/ 150 u1_l0", "query.txt, line 3: the tracklet session2/150_01 is listed twice"),
        ("session2/150_12 150 u1_l0", "gallery.txt lists the tracklet session2/150_12, and so does query.txt"),
        (
            "session2/151_05 151 u0",
            r"lacks 1 folders of listed tracklets \(session2/151_05\), it has 3 of 3 in train.txt, 2 of 3 in "
            "query.txt, 2 of 2 in gallery.txt: is the extraction complete",
        ),
    ],
)
def test_lines_that_are_refused(standin, line, message):
    with open(standin / "query.txt", "a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ValueError, match=message) as error:
        ccvid.load(standin)
    assert "\n" not in str(error.value)


def test_lists_that_cannot_be_read(standin):
    text = (standin / "query.txt").read_bytes()
    (standin / "query.txt").write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))  # as Windows writes it
    assert labels(ccvid.load(standin).query) == [(150, 1, 1), (150, 24, 0)]
    (standin / "query.txt").write_bytes(b"\xff\xfe" + text)
    with pytest.raises(ValueError, match=r"cannot read .*query.txt as text in UTF-8"):
        ccvid.load(standin)
    (standin / "query.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"query.txt lists no tracklet"):
        ccvid.load(standin)


def test_a_session_that_was_not_extracted(standin):
    shutil.rmtree(standin / "session3")
    message = r"lacks 3 folders .*\(session3/001_02, session3/150_12, session3/150_01\), it has 2 of 3 in train.txt"
    with pytest.raises(ValueError, match=message):
        ccvid.load(standin)


def test_missing_lists(standin, tmp_path):
    for off in (standin / "session1", standin / "session1/001_02", tmp_path):
        with pytest.raises(ValueError, match=r"no CCVID at .* \(no train.txt\): it is in .*set, give that folder"):
            ccvid.load(off)
    (standin / "query.txt").unlink()
    with pytest.raises(ValueError, match=r"CCVID at .*set lacks query.txt, its lists of tracklets: .* holds 3 folders"):
        ccvid.load(standin)
    layouts.write_persons(tmp_path / "shop")
    with pytest.raises(ValueError, match=r"no CCVID at .*: .* holds 2 folders \(p_4, p_31\)"):
        ccvid.load(tmp_path / "shop")


def test_a_rendered_set_that_lost_something(standin):
    layouts.write_marker(standin, name="standin-ccvid", counts={"outfits": 6})
    with pytest.raises(ValueError, match=r"standin-ccvid at .* has 5 outfits, expected 6"):
        datasets.load(f"ccvid:{standin}")
