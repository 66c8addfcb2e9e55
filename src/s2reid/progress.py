"""What a person sees while waiting, and tables to read at the end."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from s2reid.report.search import Search
    from s2reid.train import Progress as TrainingProgress

plain = partial(Console, highlight=False, markup=False, emoji=False)  # names of files may have brackets
console = plain()


@contextmanager
def bar(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar; the body calls what it gets with (done, total)."""
    with _bar() as shown:
        task = shown.add_task(what, total=None, note=unit)
        yield lambda done, total: shown.update(task, completed=done, total=total)


@contextmanager
def training(what: str) -> Iterator[Callable[["TrainingProgress"], None]]:
    """Show a bar of training steps with the speed and the loss terms."""
    with _bar() as shown:
        task = shown.add_task(what, total=None, note="")

        def report(progress: "TrainingProgress") -> None:
            terms = " ".join(f"{name} {value:.2f}" for name, value in progress.terms.items())
            note = f"{progress.images_per_second:.0f} images/s  {terms}"
            shown.update(task, completed=progress.step, total=progress.steps, note=note)

        yield report


def _bar() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    is_main_process = os.environ.get("RANK", "0") == "0"
    return Progress(*columns, console=plain(stderr=True), refresh_per_second=2, disable=not is_main_process)


def score_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print scores in percent, one row a test; the interval is the 95 % one of mAP.

    A mean over splits is followed by the standard deviation.
    """
    table = Table(box=None, pad_edge=False)
    for heading in ("method", "target"):
        table.add_column(heading, overflow="fold")
    for heading in ("Rank-1", "Rank-5", "Rank-10", "mAP", "interval", "valid"):
        table.add_column(heading, justify="right", no_wrap=True)

    def percents(row: Mapping[str, Any]) -> list[str]:
        return [f"{100 * row[name]:.1f}" for name in ("rank1", "rank5", "rank10", "mean_ap")]

    for row in rows:
        low, high = row["interval"]
        target, valid = row.get("label", row["target"]), f"{row['num_valid']}/{row['num_queries']}"
        table.add_row(row["method"], target, *percents(row), f"{100 * low:.1f}-{100 * high:.1f}", valid)
        if "sd" in row:
            table.add_row("", "± between splits", *percents(row["sd"]))
    console.print(table)


def ranked_lists(searches: Sequence["Search"]) -> None:
    """Print the ranked list of every search."""
    for search in searches:
        first = search.query.paths()[0]
        place = first if search.query.num_frames == 1 else os.path.dirname(first)
        table = Table(box=None, pad_edge=False, title=f"query {place}", title_justify="left")
        for heading in ("rank", "similarity", "camera", "person", "tracklet"):
            table.add_column(heading, justify="left" if heading == "tracklet" else "right", overflow="fold")
        for rank, (tracklet, similarity, is_match) in enumerate(search.hits, 1):
            person = str(tracklet.person) if tracklet.person >= 0 else "-"
            mark = {True: " ✓", False: " ✗", None: ""}[is_match]
            table.add_row(str(rank), f"{similarity:.3f}", str(tracklet.camera), person + mark, tracklet.paths()[0])
        console.print(table)
