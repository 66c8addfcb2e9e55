"""The verb `s2reid table`: one of the paper's tables, row by row."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg


def table(
    number: Positional[int],
    /,
    small: bool = False,
    data: Path | None = None,
    scale: str | None = None,
    seeds: int = 1,
    split: str | None = None,
    rows: tuple[str, ...] = (),
    targets: tuple[str, ...] = (),
    protocol: str = "own",
    init: Path | None = None,
    out: Path = Path("tables"),
    steps: int | None = None,
    workers: int = 1,
    threads: int | None = None,
    precision: Literal["no", "bf16", "fp16"] | None = None,
    checkpoint_every: int = 200,
    checkpointing: bool = False,
    show_real: bool = False,
    dry_run: bool = False,
    json_: Annotated[bool, arg(name="json")] = False,
) -> None:
    """Make a table of the paper: train, test, and show every row beside the published numbers.

    On real recordings, or with --small on rendered stand-ins; never on both. What it costs is said first. A finished
    cell is found, a killed one goes on: run the same command again. Writes .md, .json, .tex and .html after every cell.

    Args:
        number: 1 (published methods), 2 (what each part adds) or 3 (other targets as sources).
        small: on rendered stand-ins at laptop size.
        data: where the real datasets are: a folder with mars, ilids_vid, prid2011, ccvid, and with svreid where it is
            not to be rendered. $S2REID_DATA, or else the folder data, where none is named.
        scale: of real data: paper (256x128), or small (128x64) for a quick trial, which says that it is one.
        seeds: how many, 0, 1, ...; of the weights and the batches.
        split: of targets that have several: its number (0 where none is named), or all for each of them and their mean.
        rows: which rows, such as Baseline Ours; all where none is named.
        targets: which targets, such as ilids_vid or standin-ilids; all that are there, where none is named.
        protocol: own, each dataset's, or seed_protocol, the paper's reference release's.
        init: a file of backbone weights to start from (torchvision's names), such as ImageNet's.
        out: the folder for worlds, runs and tables; tables in one folder share what they can.
        steps: how many updates, where each method's own number will not do.
        workers: processes that decode and augment.
        threads: CPU threads of the network; equal numbers give equal bits.
        precision: no (float32), bf16 or fp16; bf16 on GPUs that compute in it, else float32.
        checkpoint_every: steps from one checkpoint to the next.
        checkpointing: take less memory and more time; equal bits.
        show_real: put pictures of the real people who were tested on the pages.
        dry_run: say what is to be done and stop.
        json_: print one JSON object.
    """
    from s2reid import progress
    from s2reid.tables import cost, grid, make, recordings, text
    from s2reid.tables.sets import Sets, available
    from s2reid.train import Options, set_threads

    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise ValueError(
            "a table is filled by one process, row after row: start it without a launcher, and give several processes "
            "a single training (accelerate launch -m s2reid train ...)"
        )
    if small and (data or scale == "paper"):
        other = "--data names real recordings" if data else "--scale paper is for real recordings"
        raise ValueError(f"--small makes the table on rendered stand-ins at laptop size, and {other}: leave one out")
    scale = scale or ("small" if small else "paper")
    whole = grid.find(number)
    whole = whole if small else grid.on_recordings(whole, scale)
    chosen = grid.select(whole, rows, targets)
    asked = grid.Asked(
        out,
        seeds,
        steps,
        scale,
        data=None if small else recordings.find_root(data),
        split=grid.read_split(chosen, split),
        protocol=protocol.replace("-", "_"),
        init=init,
        show_real=show_real,
        options=Options(
            workers=workers, checkpoint_every=checkpoint_every, precision=precision, checkpointing=checkpointing
        ),
    )
    set_threads(threads)
    cost.check_out(out)
    sets = Sets(asked)
    chosen, absent = available(chosen, sets, targets)
    chosen, other_clips = grid.testable(chosen, asked, sets, rows)
    said = sys.stderr if json_ else sys.stdout
    lacking = [] if rows else [f"{row}: no method yet, left out" for row in whole.lacking]
    for line in [*lacking, *absent, *other_clips]:
        print(line, file=said)
    expected = cost.predict(chosen, asked, sets)
    if dry_run:
        print(json.dumps(expected.to_dict()) if json_ else expected)
        return
    print(expected, file=said, flush=True)

    def report(result: grid.Result, done: int, total: int) -> None:
        first = result.scores[0]
        shown = f"Rank-1 {100 * first['rank1']:.1f}, mAP {100 * first['mean_ap']:.1f}"
        print(f"{done}/{total}  {result.cell}: {shown}", file=said, flush=True)

    wanted = {(row, target) for row in chosen.rows for _, target in chosen.pairs}
    entries = make.make(whole, chosen, asked, report, sets)
    stem = asked.stem(number)
    if json_:
        print(stem.with_suffix(".json").read_text(), end="")
        return
    for block in text.blocks([entry for entry in entries if (entry.row, entry.target) in wanted]):
        progress.console.print(text.as_rich(block))
    print(f"{text.note(whole)} {text.spread_note(entries)}")
    print(f"wrote {stem}.md, .json, .tex, .html")
