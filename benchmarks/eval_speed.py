"""How fast and how large scoring is, beside what it could at best be; prints one JSON object.

python benchmarks/eval_speed.py [CASE ...]      (without names: every case; about six minutes on two cores)

Each case runs in a process of its own, so that its peak memory (of the whole process, the vectors included) is its own.
At MARS's size (1,980 queries, 11,310 gallery entries, 2,048 numbers a vector) five ways see the same vectors:

- `ours`: every number of a score, streamed;
- `product`: only the matrix product of unit vectors, in blocks, and each query's ten nearest;
- `numpy`: every number of a score by the whole matrix and a sort of each row, as the field's scripts do;
- `faiss`: FAISS's exact search for the hundred nearest, which gives Rank-k but no mAP (needs the package);
- `faiss-all`: the same for the whole ranked list, which mAP needs.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter, process_time

import numpy as np

from s2reid import runs
from s2reid.benchmark.scoring import crowd, ours, whole_matrix
from s2reid.metrics.ranking import rank
from s2reid.metrics.rerank import Rerank
from s2reid.types import Embeddings

MARS, LARGE, MANY = (1_980, 11_310, 2_048), (20_000, 200_000, 512), (2_000, 8_000, 2_048)


def product(query: Embeddings, gallery: Embeddings, block: int = 512) -> None:
    units = gallery.vectors / np.linalg.norm(gallery.vectors, axis=1, keepdims=True)
    asked = query.vectors / np.linalg.norm(query.vectors, axis=1, keepdims=True)
    for start in range(0, len(asked), block):
        np.argpartition(asked[start : start + block] @ units.T, -10, axis=1)


def faiss_search(query: Embeddings, gallery: Embeddings, num: int = 100) -> None:
    import faiss

    index = faiss.IndexFlatIP(gallery.vectors.shape[1])
    units = [side.vectors / np.linalg.norm(side.vectors, axis=1, keepdims=True) for side in (query, gallery)]
    index.add(units[1])
    index.search(units[0], num)


def faiss_all(query: Embeddings, gallery: Embeddings) -> None:
    faiss_search(query, gallery, len(gallery))


def reranked(query: Embeddings, gallery: Embeddings) -> float:
    return rank(query, gallery, Rerank()).mean_ap


CASES: dict[str, tuple[Callable[[Embeddings, Embeddings], float | None], tuple[int, int, int], int]] = {
    "mars/ours": (ours, MARS, 5),
    "mars/product": (product, MARS, 5),
    "mars/numpy": (whole_matrix, MARS, 1),
    "mars/faiss": (faiss_search, MARS, 3),
    "mars/faiss-all": (faiss_all, MARS, 1),
    "rerank/ours": (reranked, MANY, 1),
    "large/ours": (ours, LARGE, 1),
    "large/product": (product, LARGE, 1),
}
"""What runs, on how many queries, gallery entries and numbers a vector, and how often; the best counts.

The seconds of all processors together (`cpu_seconds`) say more than the clock's where others share the machine.
"""


def measure(name: str) -> dict[str, object]:
    """Run one case in this process."""
    function, size, repeats = CASES[name]
    query, gallery = crowd(*size)
    function(query[:8], gallery[:2_000])  # compiled code is loaded, and threads are started
    seconds, cpu_seconds = [], []
    for _ in range(repeats):
        began, cpu_began = perf_counter(), process_time()
        mean_ap = function(query, gallery)
        seconds.append(perf_counter() - began)
        cpu_seconds.append(process_time() - cpu_began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    times = {"seconds": round(min(seconds), 2), "cpu_seconds": round(min(cpu_seconds), 2)}
    return {**times, "peak_gib": round(peak, 2), "mean_ap": mean_ap}


def run(name: str) -> dict[str, object]:
    """Run one case in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--here", name], capture_output=True, text=True)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return json.loads(lines[-1]) if done.returncode == 0 else {"failed": lines[-1]}


def main(names: list[str]) -> None:
    found = {name: run(name) for name in names or CASES}
    shape = dict(zip(("queries", "gallery", "numbers"), zip(MARS, LARGE, MANY)))
    print(json.dumps({"machine": runs.machine(), "commit": runs.commit(), "sizes": shape, "cases": found}, indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        main(sys.argv[1:])
