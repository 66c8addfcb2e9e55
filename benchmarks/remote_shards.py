"""How fast one process reads shards from a server that takes its time; prints one JSON object.

python benchmarks/remote_shards.py [--delay-ms 0 30 100] [--batch 64] [--batches 20]

The server is another process on this machine. It waits before each answer, as a storage that is far away would, and its
bandwidth is that of this machine: what is measured is how far asking for a batch at once hides the waiting. Beside it:
the same frames from the same shards on the disk, and from the server one after another.
"""

import json
import multiprocessing
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np
import tyro

from s2reid import datasets, pack, runs
from s2reid.types import Dataset, Tracklet
from s2reid.video.decode import read_frame, read_frames

TRACKLETS, FRAMES, HEIGHT, WIDTH = 100, 20, 256, 128


@dataclass
class Asked:
    """What to measure."""

    delay_ms: tuple[int, ...] = (0, 30, 100)
    batch: int = 64
    batches: int = 20


def write(root: Path) -> Dataset:
    """Write noisy pictures that take about as many bytes as real ones."""
    rng = np.random.default_rng(0)
    tracklets = []
    for number in range(TRACKLETS):
        names = tuple(f"{number}/{frame}.jpg" for frame in range(FRAMES))
        (root / str(number)).mkdir(parents=True)
        for name in names:
            small = rng.integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3), np.uint8)
            cv2.imwrite(str(root / name), cv2.resize(small, (WIDTH, HEIGHT)), [cv2.IMWRITE_JPEG_QUALITY, 95])
        tracklets.append(Tracklet(str(root), names, number, 0))
    return Dataset("noise", tuple(tracklets))


def serve(root: Path, delay: float, told: Connection) -> None:
    """Serve a folder's files and parts of them, each answer `delay` seconds late."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(delay)
            with open(root / self.path.lstrip("/"), "rb") as file:
                part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
                file.seek(int(part[1]) if part else 0)
                content = file.read(int(part[2]) + 1 - int(part[1]) if part else -1)
            self.send_response(206 if part else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 256

    with Server(("127.0.0.1", 0), Handler) as server:
        told.send(server.server_port)
        server.serve_forever()


def speed(dataset: Dataset, asked: Asked, read: Callable[[list[tuple[str, str]]], object]) -> float:
    """Count frames a second over random batches; the first one opens the connections and does not count."""
    rng = np.random.default_rng(1)
    places = [(tracklet.store, frame) for tracklet in dataset.train for frame in tracklet.frames]
    batches = [[places[i] for i in rng.choice(len(places), asked.batch)] for _ in range(asked.batches + 1)]
    read(batches[0])
    begin = time.perf_counter()
    for batch in batches[1:]:
        read(batch)
    return asked.batch * asked.batches / (time.perf_counter() - begin)


def at_once(places: list[tuple[str, str]]) -> None:
    for _ in read_frames(places):
        pass


def one_by_one(places: list[tuple[str, str]]) -> None:
    for place in places:
        read_frame(*place)


def main(asked: Asked) -> None:
    found: dict[str, object] = {"command": runs.command(), "commit": runs.commit(), "machine": runs.machine()}
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        pack.pack(write(root / "frames"), root / "shards", 4 * 2**20)
        near = datasets.load(f"shards:{root / 'shards'}")
        sizes = [int(frame.partition("/")[0].partition("+")[2]) for t in near.train for frame in t.frames]
        found |= {"bytes a frame": round(float(np.mean(sizes))), "disk": round(speed(near, asked, at_once))}
        for delay in asked.delay_ms:
            told, tells = multiprocessing.Pipe(duplex=False)
            server = multiprocessing.Process(target=serve, args=(root / "shards", delay / 1000, tells), daemon=True)
            server.start()
            far = datasets.load(f"shards:http://127.0.0.1:{told.recv()}")
            found[f"{delay} ms, a batch at once"] = round(speed(far, asked, at_once))
            found[f"{delay} ms, one after another"] = round(speed(far, Asked(batch=16, batches=2), one_by_one))
            server.kill()
    json.dump(found, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(tyro.cli(Asked))
