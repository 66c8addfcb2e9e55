"""The verbs of `s2reid data`: look at a dataset, turn it into a manifest, pack it, learn where to get it."""

import json
import sys
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg
from tyro.extras import SubcommandApp

app = SubcommandApp()
Spec = Annotated[str, arg(metavar="NAME:PATH")]


@app.command
def check(
    data: Positional[Spec],
    /,
    deep: bool = False,
    json_: Annotated[bool, arg(name="json")] = False,
) -> None:
    """Say what a dataset holds beside what it should hold; exit with 1 where something is not as it should be.

    Args:
        data: the dataset, such as mars:DIR.
        deep: decode every frame too.
        json_: print one JSON object.
    """
    from s2reid import datasets, inventory, progress

    dataset = datasets.load(data, check=False)
    with progress.bar("decode" if deep else "look", "frames") as advance:
        found = inventory.take(dataset, deep=deep, advance=advance)
    if json_:
        print(json.dumps(found.to_dict()))
    else:
        print(f"{found.name} at {found.origin.get('root', data)}, protocol {found.protocol}")
        progress.console.print(inventory.as_table(found))
        print("\n".join(inventory.as_lines(found)))
    if found.problems():
        sys.exit(1)


@app.command
def convert(data: Positional[Spec], out: Positional[Path], /) -> None:
    """Write a dataset as a manifest, which csv:OUT reads: one row a frame.

    Args:
        data: the dataset, such as mars:DIR.
        out: the CSV file to write; it must be new.
    """
    from s2reid import datasets, manifest, progress

    dataset = datasets.load(data)
    with progress.bar("write and read back", "frames") as advance:
        rows = manifest.write(dataset, out, advance)
    print(f"wrote {out}: {rows:,} frames; csv:{out} reads it")
    if dataset.protocol != "cross_camera":
        print(f"a manifest names no protocol: evaluate it with --protocol {dataset.protocol}")


@app.command
def pack(data: Positional[Spec], out: Positional[Path], /, shard_mib: int = 256) -> None:
    """Pack a dataset into a few large tar archives, which shards:OUT reads; one that was stopped goes on.

    Args:
        data: the dataset, such as svreid:DIR.
        out: the folder to write; it must be new.
        shard_mib: about how large an archive is, in MiB.
    """
    from s2reid import datasets, progress
    from s2reid import pack as packing

    dataset = datasets.load(data)
    with progress.bar("pack", "frames") as advance:
        shards = packing.pack(dataset, out, shard_mib * 2**20, advance)
    print(f"wrote {out}: {shards:,} shards; shards:{out} reads it")


@app.command
def get(name: Positional[str], /) -> None:
    """Say where a dataset comes from, on what terms, and how to lay it out; nothing is downloaded.

    Args:
        name: of the dataset or the stand-in, such as mars or standin-mars.
    """
    from s2reid import obtain

    print(obtain.find(name))
