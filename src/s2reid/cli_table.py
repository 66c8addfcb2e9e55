"""The verb `s2reid table`: one of the paper's tables, row by row."""

import json
import sys
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


def table(
    number: Positional[int],
    /,
    small: bool = False,
    seeds: int = 1,
    rows: tuple[str, ...] = (),
    targets: tuple[str, ...] = (),
    out: Path = Path("tables"),
    steps: int | None = None,
    threads: int | None = None,
    dry_run: bool = False,
    json_: Annotated[bool, arg(name="json")] = False,
) -> None:
    """Make a table of the paper: train, test, and show every row beside the published numbers.

    What it costs is said first. A finished cell is found, a killed one goes on: run the same command again. Writes
    tableN.md, .json, .tex and .html after every cell.

    Args:
        number: 1 (published methods), 2 (what each part adds) or 3 (other targets as sources).
        small: on rendered stand-ins at laptop size (so far the only way).
        seeds: how many, 0, 1, ...; of the weights and the batches.
        rows: which rows, such as Baseline Ours; all where none is named.
        targets: which targets, such as standin-ilids; all where none is named.
        out: the folder for worlds, runs and tables; tables in one folder share what they can.
        steps: how many updates, where each method's own number will not do.
        threads: CPU threads of the network; equal numbers give equal bits.
        dry_run: say what is to be done and stop.
        json_: print one JSON object.
    """
    from s2reid import progress
    from s2reid.tables import cost, grid, make, text
    from s2reid.train import set_threads

    if not small:
        raise ValueError("the tables are made on rendered stand-ins at laptop size: say --small")
    whole = grid.find(number)
    chosen, asked = grid.select(whole, rows, targets), grid.Asked(out, seeds, steps)
    set_threads(threads)
    cost.check_out(out)
    said = sys.stderr if json_ else sys.stdout
    for row in [] if rows else whole.lacking:
        print(f"{row}: no method yet, left out", file=said)
    expected = cost.predict(chosen, asked)
    if dry_run:
        print(json.dumps(expected.to_dict()) if json_ else expected)
        return
    print(expected, file=said, flush=True)

    def report(result: grid.Result, done: int, total: int) -> None:
        first = result.scores[0]
        shown = f"Rank-1 {100 * first['rank1']:.1f}, mAP {100 * first['mean_ap']:.1f}"
        print(f"{done}/{total}  {result.cell}: {shown}", file=said, flush=True)

    wanted = {(row, target) for row in chosen.rows for _, target in chosen.pairs}
    entries = make.make(whole, chosen, asked, report)
    if json_:
        print((out / f"table{number}.json").read_text(), end="")
        return
    for block in text.blocks([entry for entry in entries if (entry.row, entry.target) in wanted]):
        progress.console.print(text.as_rich(block))
    print(f"{text.NOTE} {text.spread_note(entries)}")
    print(f"wrote {out / f'table{number}'}.md, .json, .tex, .html")
