"""Take stock of a dataset: what it holds beside what it should hold, and what is wrong with its labels and frames."""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Table

from s2reid import evaluate
from s2reid.datasets._counts import count
from s2reid.frames import NAMED, Advance, Frames, Trouble, look
from s2reid.metrics.ranking import labels
from s2reid.types import DISTRACTOR, UNKNOWN, Dataset, Embeddings, Tracklet

PARTS = ("train", "query", "gallery", "whole")
COUNTED = ("persons", "distractors", "unlabelled", "cameras", "outfits", "tracklets", "images")
Counts = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """A count that is not what was published or promised."""

    part: str
    kind: str
    found: int
    expected: int


@dataclass(frozen=True)
class Inventory:
    """What a dataset holds.

    `parts` counts train, query, gallery and the whole (`COUNTED`, and `lengths`: frames of the shortest, the median and
    the longest tracklet), and what its loader counted besides; `expected` is as far as anything was published or
    promised. `without_match` counts, by setting of the dataset's protocol, the queries that nothing in the gallery can
    match; `refusal` is what the protocol says where it cannot score the dataset.
    """

    name: str
    protocol: str
    origin: Counts
    parts: Mapping[str, Counts]
    expected: Mapping[str, Counts]
    differences: tuple[Difference, ...]
    in_train_and_test: tuple[int, ...]
    without_match: Mapping[str, int]
    refusal: str
    frames: Frames

    def problems(self) -> list[str]:
        """Say what is not as it should be, a line each; nothing where all is well."""
        said = [f"{d.part} has {d.found:,} {_word(d.kind)}, expected {d.expected:,}" for d in self.differences]
        if self.in_train_and_test:
            first = ", ".join(map(str, self.in_train_and_test[:NAMED]))
            said.append(f"persons in both train and test: {len(self.in_train_and_test):,}, such as {first}")
        if self.refusal:
            said.append(f"the protocol {self.protocol} cannot score it: {self.refusal}")
        queries = self.parts["query"]["tracklets"]
        if self.without_match and min(self.without_match.values()) == queries:
            said.append(f"none of {queries:,} queries has a match under {self.protocol}")
        kinds = {
            "repeated": "listed twice",
            "missing": "missing",
            "empty": "empty (0 bytes)",
            "unreadable": "unreadable",
        }
        for kind, what in kinds.items():
            trouble: Trouble = getattr(self.frames, kind)
            if trouble.count:
                said.append(f"frames {what}: {trouble.count:,}, such as {'; '.join(trouble.first)}")
        return said

    def to_dict(self) -> dict[str, Any]:
        """Turn it into what JSON can hold, with `problems` and `as_expected`."""
        problems = self.problems()
        return {**asdict(self), "problems": problems, "as_expected": not problems}


def take(
    dataset: Dataset, *, deep: bool = False, advance: Advance = lambda done, total: None, threads: int = 8
) -> Inventory:
    """Count what a dataset holds, compare it with `dataset.expected`, and look for the file of every frame.

    With `deep` every frame is also decoded. `advance` is told of the frames done.
    """
    whole = dataset.train + dataset.query + dataset.gallery
    sides = (dataset.train, dataset.query, dataset.gallery, whole)
    parts = {name: measure(side) for name, side in zip(PARTS, sides)} | dict(dataset.origin.get("counted", {}))
    expected = _expected(dataset.expected, parts)
    without_match, refusal = _without_match(dataset)
    return Inventory(
        name=dataset.name,
        protocol=dataset.protocol,
        origin=dict(dataset.origin),
        parts=parts,
        expected=expected,
        differences=tuple(_differences(parts, expected)),
        in_train_and_test=tuple(sorted(_persons(dataset.train) & _persons(dataset.query + dataset.gallery))),
        without_match=without_match,
        refusal=refusal,
        frames=look(whole, deep=deep, advance=advance, threads=threads),
    )


# Counts


def measure(tracklets: Sequence[Tracklet]) -> dict[str, Any]:
    """Count some tracklets (`COUNTED`) and say how long they are (`lengths`: min, median, max; {} where none).

    >>> found = measure([Tracklet(".", ("1", "2"), person=7, camera=1), Tracklet(".", ("3",), DISTRACTOR, 2)])
    >>> found["persons"], found["distractors"], found["lengths"]
    (1, 1, {'min': 1, 'median': 1.5, 'max': 2})
    """
    lengths = [tracklet.num_frames for tracklet in tracklets]
    return {
        **count(tracklets),
        "distractors": sum(tracklet.person == DISTRACTOR for tracklet in tracklets),
        "unlabelled": sum(tracklet.person == UNKNOWN for tracklet in tracklets),
        "lengths": {"min": min(lengths), "median": statistics.median(lengths), "max": max(lengths)} if lengths else {},
    }


def _expected(promised: Counts, parts: Mapping[str, Counts]) -> dict[str, dict[str, int]]:
    """Sort what a dataset promises by part; what nobody counted is left out."""
    by_part = {part: promised if part == "whole" else promised.get(part, {}) for part in parts}
    return {
        part: {kind: counts[kind] for kind in parts[part] if isinstance(counts.get(kind), int)}
        for part, counts in by_part.items()
    }


def _differences(parts: Mapping[str, Counts], expected: Mapping[str, Counts]) -> Iterator[Difference]:
    for part, counts in expected.items():
        for kind, wanted in counts.items():
            if parts[part][kind] != wanted:
                yield Difference(part, kind, parts[part][kind], wanted)


# Labels


def _persons(tracklets: Iterable[Tracklet]) -> set[int]:
    return {tracklet.person for tracklet in tracklets if tracklet.person >= 0}


def _without_match(dataset: Dataset) -> tuple[dict[str, int], str]:
    """Count, by setting of the dataset's protocol, the queries without a match; or say why the protocol refuses."""
    if not (dataset.query and dataset.gallery):
        return {}, ""
    try:
        settings = evaluate.settings(dataset.protocol, _labels(dataset.query), _labels(dataset.gallery))
    except ValueError as error:
        return {}, str(error)
    return {name: _num_without(setting) for name, setting in settings.items()}, ""


def _labels(tracklets: Sequence[Tracklet]) -> Embeddings:
    rows = [(tracklet.person, tracklet.camera, tracklet.outfit) for tracklet in tracklets]
    return labels(*np.array(rows, np.int64).T)


def _num_without(setting: evaluate.Setting, block: int = 256) -> int:
    """Count the queries without a match, by labels alone."""
    without = 0
    for start in range(0, len(setting.query), block):
        rows = setting.query[start : start + block]
        matches = setting.keep(rows, setting.gallery) & (rows.person[:, None] == setting.gallery.person)
        without += int((~matches.any(axis=1) | (rows.person < 0)).sum())
    return without


# For a person to read


def as_table(found: Inventory) -> Table:
    """Lay the counts out by part; a tick marks what is as expected, ≠ what is not, with the expected number."""
    used = [part for part in PARTS if found.parts[part]["tracklets"] or found.expected[part]]
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for part in used:
        table.add_column(part, justify="right", no_wrap=True)
    for kind in COUNTED:
        if any(found.parts[part][kind] or kind in found.expected[part] for part in used):
            cells = (cell(found.parts[part][kind], found.expected[part].get(kind)) for part in used)
            table.add_row(_word(kind), *cells)
    for which, name in (("min", "shortest"), ("median", "median length"), ("max", "longest")):
        table.add_row(name, *(f"{found.parts[part]['lengths'].get(which, 0):g}" for part in used))
    return table


def cell(found: int, expected: int | None) -> str:
    """Write a count beside what it should be.

    >>> cell(1980, 1980), cell(1979, 1980), cell(7, None)
    ('1,980 ✓', '1,979 ≠ 1,980', '7')
    """
    mark = "" if expected is None else " ✓" if found == expected else f" ≠ {expected:,}"
    return f"{found:,}{mark}"


def _word(kind: str) -> str:
    return {"images": "frames"}.get(kind, kind)


def as_lines(found: Inventory) -> list[str]:
    """Say what the table does not: queries without a match, frames, problems, and the verdict."""
    frames, problems = found.frames, found.problems()
    lines = [
        f"{part}: {cell(number, found.expected[part].get(kind))} {kind}"
        for part, counts in found.parts.items()
        if part not in PARTS
        for kind, number in counts.items()
    ]
    queries = found.parts["query"]["tracklets"]
    lines += [
        f"queries without a match, {name}: {number:,} of {queries:,}" for name, number in found.without_match.items()
    ]
    decoded = f", {frames.decoded:,} decoded" if frames.decoded else ""
    lines.append(f"frames: {frames.files:,} files looked for{decoded}")
    if frames.copies.count:
        first = "; ".join(frames.copies.first)
        lines.append(f"note: frames that are copies of another tracklet's: {frames.copies.count:,}, such as {first}")
    if not any(found.expected.values()):
        lines.append("nothing is published or promised about this data: it was counted, and compared with nothing")
    lines += [f"problem: {problem}" for problem in problems]
    return [*lines, f"problems: {len(problems)}" if problems else "no problem found"]
