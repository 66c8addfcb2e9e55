"""Shards in object storage, here behind a server on this machine: the same data, to the bit, and patience."""

import importlib.util
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from tests import tiny
from tests.test_pack import SMALL, assert_same

from s2reid import archive, datasets, embed, experiment, inventory, pack, remote, runs, summary
from s2reid.datasets.shards import INDEX
from s2reid.experiment import Plan
from s2reid.report.strips import strip
from s2reid.train import Options
from s2reid.video.decode import read_frames

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")


def list_frames(places):
    return list(read_frames(places))


class Storage:
    """What a server does: which requests it lets fail, whether it knows ranges, how many it answered at once."""

    def __init__(self, root):
        self.root, self.failures, self.knows_ranges, self.delay = root, 0, True, 0.0
        self.asked, self.now, self.most, self.lock = [], 0, 0, threading.Lock()

    def answer(self, request):
        path = self.root / request.path.lstrip("/")
        with self.lock:
            self.asked.append((request.command, request.path, request.headers.get("Range")))
            self.now += 1
            self.most, fails = max(self.most, self.now), self.failures > 0
            self.failures -= fails
        time.sleep(self.delay)
        with self.lock:
            self.now -= 1
        if fails:
            return 503, b""
        if not path.is_file():
            return 404, b""
        content = path.read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range") or "")
        if not (asked and self.knows_ranges):
            return 200, content
        return 206, content[int(asked[1]) : int(asked[2]) + 1]


@pytest.fixture
def storage(tmp_path):
    """Serve a folder; its address is `storage.address`."""
    held = Storage(tmp_path / "bucket")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            code, content = held.answer(self)
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        held.address = f"http://127.0.0.1:{server.server_port}"
        yield held
        server.shutdown()


@pytest.fixture
def address(storage, source):
    pack.pack(source, storage.root / "source", SMALL)
    return f"{storage.address}/source"


@pytest.fixture
def patient(monkeypatch):
    monkeypatch.setattr(remote, "PAUSES", (0.0, 0.0, 0.0))


def test_everything_comes_back(source, address):
    found = datasets.load(f"shards:{address}/")
    assert assert_same(found, source) == 12
    assert found.origin["root"] == address
    assert all(tracklet.store.startswith(f"{address}/shard-") for tracklet in found.train)
    assert runs.fingerprint(found, ["train"]) == runs.fingerprint(source, ["train"])
    stock = inventory.take(found, deep=True)
    assert stock.problems() == []
    assert stock.frames.decoded == 36


@pytest.mark.usefixtures("tiny_scale")
def test_training_from_there_is_training_from_the_disk(source, target, address, storage, tmp_path):
    pack.pack(target, storage.root / "target", SMALL)
    far, standin = datasets.load(f"shards:{address}"), datasets.load(f"shards:{storage.address}/target")
    plans = [Plan("source_only", data, scale="tiny", schedule=tiny.schedule()) for data in (source, far)]
    assert plans[0].training() == plans[1].training()
    folders = [experiment.run(plan, tmp_path / f"runs{n}", Options(0, n)) for n, plan in enumerate(plans)]
    one, other = (next((folder / "model").glob("*.safetensors")).read_bytes() for folder in folders)
    assert one == other
    model = embed.load_model(folders[0] / "model")
    np.testing.assert_array_equal(*(model.embed_tracklets(data.query).vectors for data in (target, standin)))
    experiment.evaluate(folders[1] / "model", standin)
    (result,) = summary.read_results(folders[1], "far")
    assert strip(result.query_tracklets[0], num_frames=2) == strip(target.query[0], num_frames=2)  # a page shows them


def test_frames_are_asked_for_at_once_and_by_range(address, storage):
    tracklets = datasets.load(f"shards:{address}").train
    storage.delay, storage.asked = 0.05, []
    places = [(tracklet.store, frame) for tracklet in tracklets for frame in tracklet.frames]
    assert len(list_frames(places)) == len(places) == 36
    assert len(storage.asked) == 36
    assert all(command == "GET" and part for command, _, part in storage.asked)
    assert storage.most > 8


@pytest.mark.usefixtures("patient")
def test_what_fails_is_asked_for_again(source, address, storage):
    storage.failures = len(remote.PAUSES)
    assert len(datasets.load(f"shards:{address}").train) == 12
    storage.failures = len(remote.PAUSES) + 1
    with pytest.raises(ValueError, match=rf"cannot read {address}/{INDEX} \(ClientResponseError: 503, .*address right"):
        datasets.load(f"shards:{address}")
    place = datasets.load(f"shards:{address}").train[0]
    storage.failures = 100
    with pytest.raises(ValueError, match=rf"cannot read {place.store}: ClientResponseError: 503, .* data complete\?"):
        list_frames([(place.store, place.frames[0])])


@pytest.mark.usefixtures("patient")
def test_an_error_that_a_storage_returns_instead_of_raising(monkeypatch):
    answers = [[b"a", OSError("lost")], [b"a", b"b"], [FileNotFoundError("gone")]]

    class Older:  # fsspec before 2026.6
        def cat_ranges(self, *given, **named):
            return answers.pop(0)

    monkeypatch.setattr(remote, "_open", lambda address: (Older(), address))
    assert remote.read_ranges([("s3://b/x", 0, 1), ("s3://b/x", 1, 2)]) == [b"a", b"b"]
    with pytest.raises(FileNotFoundError):
        remote.read_ranges([("s3://b/x", 0, 1)])


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda root: (root / INDEX).unlink(), f"cannot read .*/source/{INDEX} .No such file.*: is the address right"),
        (lambda root: (root / "shard-000001.tar").unlink(), "/source lacks shard-000001.tar: was the copy cut short"),
        (lambda root: (root / "shard-000001.tar").write_bytes(b"x"), "shard-000001.tar has 1 bytes, expected "),
    ],
)
def test_what_is_not_whole_is_refused(address, storage, damage, message):
    damage(storage.root / "source")
    with pytest.raises(ValueError, match=message):
        datasets.load(f"shards:{address}")


@pytest.mark.usefixtures("patient")
def test_a_frame_that_is_lost_or_moved(address, storage):
    tracklet = datasets.load(f"shards:{address}").train[0]
    path = storage.root / "source" / "shard-000000.tar"
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"x" + content[100:])
    with pytest.raises(ValueError, match=r"does not hold the frame .* at its place"):
        list_frames([(tracklet.store, tracklet.frames[1])])
    path.unlink()
    with pytest.raises(ValueError, match=r"cannot read .*shard-000000.tar: No such file .*is the data complete"):
        list_frames([(tracklet.store, tracklet.frames[1])])


def test_a_server_without_ranges_is_found_out(address, storage):
    tracklet = datasets.load(f"shards:{address}").train[0]
    storage.knows_ranges = False
    with pytest.raises(ValueError, match=r"tar: [\d,]+ bytes were asked for and [\d,]+ came: .* to a disk"):
        archive.read(f"{tracklet.store}/{tracklet.frames[0]}")


def test_only_shards_are_read_from_there():
    with pytest.raises(ValueError, match=r"mars:s3://bucket/mars: only shards are read from object storage; .*pack"):
        datasets.load("mars:s3://bucket/mars")
    with pytest.raises(ValueError, match=r"nowhere://bucket/x/index.jsonl cannot be opened .*pip install 's2reid"):
        datasets.load("shards:nowhere://bucket/x")


@pytest.mark.skipif(importlib.util.find_spec("s3fs") is not None, reason="s3fs is installed")
def test_a_storage_whose_library_is_not_there():
    with pytest.raises(ValueError, match=r"s3://bucket/x/index.jsonl cannot be opened \(Install s3fs.*\): pip install"):
        datasets.load("shards:s3://bucket/x")
