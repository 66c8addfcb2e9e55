"""Shards: the same dataset in a few files, to the bit; what is damaged, missing or half done is refused."""

import json
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from tests import tiny

from s2reid import archive, datasets, embed, experiment, inventory, manifest, pack, runs
from s2reid.datasets.shards import INDEX, UNFINISHED
from s2reid.experiment import Plan
from s2reid.train import Options
from s2reid.types import DISTRACTOR, UNKNOWN, Dataset, Tracklet
from s2reid.video.decode import read_frame

SMALL = 8 * 2**10


@pytest.fixture
def packed(source, tmp_path):
    pack.pack(source, tmp_path / "shards", SMALL)
    return tmp_path / "shards"


def everything(dataset):
    return [(part, tracklet) for part in ("train", "query", "gallery") for tracklet in getattr(dataset, part)]


def assert_same(found, expected):
    """Compare all that a loader gives but for the place."""
    for name in ("name", "expected", "protocol", "num_persons", "outfits"):
        assert getattr(found, name) == getattr(expected, name)
    assert {**found.origin, "root": ""} == {**expected.origin, "root": ""}
    pairs = list(zip(everything(found), everything(expected), strict=True))
    for (part, one), (other_part, other) in pairs:
        assert (part, one.person, one.camera, one.outfit) == (other_part, other.person, other.camera, other.outfit)
        assert archive.names(one) == archive.names(other)
        for path, original in zip(one.paths(), other.paths(), strict=True):
            assert archive.read(path) == archive.read(original)
            assert archive.size(path) == len(archive.read(original))
    return len(pairs)


def test_everything_comes_back(source, target, packed, tmp_path):
    found = datasets.load(f"shards:{packed}")
    assert assert_same(found, source) == 12
    assert found.origin["preset"] == "tiny-source"
    assert found.origin["root"] == str(packed)
    assert len(list(packed.glob("*.tar"))) == len({tracklet.store for tracklet in found.train}) > 2
    assert max(path.stat().st_size for path in packed.glob("*.tar")) <= SMALL + 1024
    pack.pack(target, tmp_path / "target")
    again = datasets.load(f"shards:{tmp_path / 'target'}")
    assert assert_same(again, target) == 16
    assert again.protocol == "ilids_vid"
    assert runs.fingerprint(again, ["query", "gallery"]) == runs.fingerprint(target, ["query", "gallery"])


def test_all_kinds_of_labels_and_of_names(tmp_path):
    tiny.write_frames(tmp_path / "a.tar" / "7", ["ö 1.JPG", "2.png"], 1, 1)
    tiny.write_frames(tmp_path / "b", ["x" * 150 + ".jpg"], 2, 2)
    one = Tracklet(str(tmp_path / "a.tar"), ("7/ö 1.JPG", "7/2.png"), UNKNOWN, 3)
    other = Tracklet(str(tmp_path), ("b/" + "x" * 150 + ".jpg",), DISTRACTOR, 2**40, 5)
    made = Dataset("mine", (one,), gallery=(other, replace(other, person=4)), protocol="mars")
    pack.pack(made, tmp_path / "out")
    found = datasets.load(f"shards:{tmp_path / 'out'}")
    assert_same(found, made)
    with tarfile.open(tmp_path / "out" / "shard-000000.tar") as tar:
        assert tar.getnames() == [
            "train-0000000/0000.jpg",
            "train-0000000/0001.png",
            "gallery-0000000/0000.jpg",
            "gallery-0000001/0000.jpg",
        ]
        contents = [tar.extractfile(member).read() for member in tar]
    paths = [path for _, tracklet in everything(made) for path in tracklet.paths()]
    assert contents == [archive.read(path) for path in paths]


def test_packing_what_is_packed(source, packed, tmp_path):
    pack.pack(datasets.load(f"shards:{packed}"), tmp_path / "again", SMALL)
    assert_same(datasets.load(f"shards:{tmp_path / 'again'}"), source)
    for path in packed.glob("*.tar"):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("tiny_scale")
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_training_from_shards_is_training_from_the_folder(source, target, packed, tmp_path):
    pack.pack(target, tmp_path / "target", SMALL)
    shards, standin = datasets.load(f"shards:{packed}"), datasets.load(f"shards:{tmp_path / 'target'}")
    plans = [Plan("source_only", data, scale="tiny", schedule=tiny.schedule()) for data in (source, shards)]
    assert plans[0].training() == plans[1].training()
    folders = [experiment.run(plan, tmp_path / f"runs{n}", Options(0, n)) for n, plan in enumerate(plans)]
    one, other = (next((folder / "model").glob("*.safetensors")).read_bytes() for folder in folders)
    assert one == other
    rows = experiment.evaluate(folders[1] / "model", standin)
    assert rows == experiment.evaluate(folders[0] / "model", target)
    assert (rows[0]["target"], rows[0]["is_real"]) == ("standin-tiny", False)
    model = embed.load_model(folders[0] / "model")
    vectors = [model.embed_tracklets(data.query).vectors for data in (target, standin)]
    np.testing.assert_array_equal(*vectors)


def test_recordings_keep_their_fingerprint(tmp_path):
    recorded = Dataset("real", train=tiny.write_tracklets(tmp_path / "frames", [2, 2]))
    pack.pack(recorded, tmp_path / "out")
    assert runs.fingerprint(datasets.load(f"shards:{tmp_path / 'out'}"), ["train"]) == runs.fingerprint(
        recorded, ["train"]
    )


def test_stock_is_taken_of_shards_too(source, packed):
    found = inventory.take(datasets.load(f"shards:{packed}"), deep=True)
    assert found.problems() == []
    assert (found.frames.files, found.frames.decoded) == (36, 36)
    broken = datasets.load(f"shards:{packed}")
    offset = int(broken.train[0].frames[1].partition("+")[0])
    path = packed / "shard-000000.tar"
    content = bytearray(path.read_bytes())
    content[offset : offset + 20] = bytes(20)
    path.write_bytes(content)
    problems = inventory.take(broken, deep=True).problems()
    assert len(problems) == 1
    assert problems[0].startswith("frames unreadable: 1, such as the frame ")
    path.write_bytes(content[: offset + 9])
    problems = inventory.take(broken).problems()
    assert len(problems) == 1
    assert problems[0].startswith("frames missing: ")


def test_a_manifest_does_not_name_frames_in_archives(packed, tmp_path):
    with pytest.raises(
        ValueError, match=r"the frames of tiny-source lie in .*tar: a manifest names files; use shards:DIR"
    ):
        manifest.write(datasets.load(f"shards:{packed}"), packed / "m.csv")


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def cut_deep(path):
    path.write_bytes(path.read_bytes()[:-9])


def another_format(path):
    first, *others = path.read_text().splitlines(keepends=True)
    path.write_text("".join([json.dumps({**json.loads(first), "format": 2}) + "\n", *others]))


def without_last_line(path):
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def with_line(line, text):
    """Put another line in the place of one."""

    def damage(path):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([*lines[:line], text + "\n", *lines[line + 1 :]]))

    return damage


def without_header(path):
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


DAMAGE = {
    "no header": (INDEX, without_header, "has format none, this version reads 1"),
    "half a header": (INDEX, with_line(0, '{"format": 1}'), r"is damaged \(its first line lacks expected\): copy it"),
    "another part": (INDEX, with_line(1, '["foo", 0, 1, 1, 0, []]'), r"is damaged \(line 2: 'foo'\): copy it again"),
    "another shard": (INDEX, with_line(2, '["train", 99, 1, 1, 0, []]'), r"is damaged \(line 3: .*range\): copy it"),
    "a short line": (
        INDEX,
        with_line(1, '["train", 0]'),
        r"is damaged \(line 2: not enough values .*\): copy it again",
    ),
    "missing shard": (
        "shard-000001.tar",
        lambda path: path.unlink(),
        "shards lacks shard-000001.tar: was the copy cut",
    ),
    "short shard": ("shard-000001.tar", cut, r"shard-000001.tar has [0-9,]+ bytes, expected [0-9,]+: copy it again"),
    "no index": (
        INDEX,
        lambda path: path.unlink(),
        f"has no {INDEX}, which `s2reid data pack` writes; .* holds 12 files",
    ),
    "another format": (INDEX, another_format, "has format 2, this version reads 1: pack the data again"),
    "damaged index": (INDEX, cut_deep, r"index.jsonl is damaged \(.*\): copy it again"),
    "short index": (INDEX, without_last_line, r"lists 11 tracklets, expected 12: was it copied whole\?"),
    "half packed": (
        INDEX,
        lambda path: path.rename(path.with_name(UNFINISHED)),
        "is half packed: run the same `s2reid data pack` again",
    ),
}


@pytest.mark.parametrize(("name", "damage", "message"), DAMAGE.values(), ids=DAMAGE)
def test_shards_that_are_not_whole(packed, name, damage, message):
    damage(packed / name)
    with pytest.raises(ValueError, match=message):
        datasets.load(f"shards:{packed}")


def test_frames_that_are_not_where_they_should_be(packed):
    tracklet = datasets.load(f"shards:{packed}").train[0]
    store, frame = tracklet.store, tracklet.frames[1]
    content = tiny.Path(store).read_bytes()
    tiny.Path(store).write_bytes(content[:100] + b"x" + content[100:])
    with pytest.raises(ValueError, match=r"shard-000000.tar does not hold the frame .*/1.jpg at its place: .* damaged"):
        read_frame(store, frame)
    offset, _, size = frame.partition("/")[0].partition("+")
    tiny.Path(store).write_bytes(content[: int(offset) + int(size) - 1])
    with pytest.raises(ValueError, match=r"/1.jpg lies behind the end of .*shard-000000.tar: the archive is cut short"):
        read_frame(store, frame)
    tiny.Path(store).unlink()
    with pytest.raises(ValueError, match=r"cannot read the frame .*/1.jpg: No such file .*is the data complete\?"):
        read_frame(store, frame)


class Killed(BaseException):
    pass


@pytest.mark.parametrize("frames", [1, 7, 36])
def test_a_packing_that_was_killed_goes_on(source, packed, tmp_path, frames):
    def kill(done, total):
        assert total == 36
        if done == frames:
            raise Killed

    out = tmp_path / "killed"
    with pytest.raises(Killed):
        pack.pack(source, out, SMALL, kill)
    with pytest.raises(ValueError, match="is half packed: run the same"):
        datasets.load(f"shards:{out}")
    with pytest.raises(ValueError, match="is half packed, from other data or into shards of another size: remove it"):
        pack.pack(source, out, 2 * SMALL)
    with pytest.raises(ValueError, match="is half packed, from other data or into shards of another size: remove it"):
        pack.pack(replace(source, train=source.train[1:]), out, SMALL)
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*.tar")}
    pack.pack(source, out, SMALL)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in packed.iterdir())
    assert all((out / path.name).read_bytes() == path.read_bytes() for path in packed.iterdir())


def test_what_cannot_be_packed(source, packed, tmp_path):
    with pytest.raises(ValueError, match="shards is packed already: remove it, or give another name"):
        pack.pack(source, packed)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note").write_text("x")
    with pytest.raises(ValueError, match="full holds note: give a new or an empty folder"):
        pack.pack(source, tmp_path / "full")
    with pytest.raises(ValueError, match="nothing has no tracklets: there is nothing to pack"):
        pack.pack(Dataset("nothing"), tmp_path / "out")
    with pytest.raises(ValueError, match="a shard of 0 bytes holds nothing: give 1 or more"):
        pack.pack(source, tmp_path / "out", 0)
    own = tiny.write_tracklets(tmp_path / "own", [1])
    lost = Dataset("lost", (replace(own[0], frames=(*own[0].frames, "none.jpg")),))
    with pytest.raises(
        ValueError, match=r"cannot find the frame .*none.jpg \(No such file.*\): is the data complete\?"
    ):
        pack.pack(lost, tmp_path / "out")
    (tmp_path / "own" / "none.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"the frame .*none.jpg is empty \(0 bytes\): copy it again"):
        pack.pack(lost, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_frame_that_changes_meanwhile(tmp_path):
    own = Dataset("own", tiny.write_tracklets(tmp_path / "own", [1]))
    last = tiny.Path(own.train[0].paths()[-1])
    with pytest.raises(ValueError, match=r"_2.jpg has 1 bytes now and had \d+: pack what stays as it is"):
        pack.pack(own, tmp_path / "out", advance=lambda done, total: last.write_bytes(b"x"))
