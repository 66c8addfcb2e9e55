"""Batches of clips: P persons x K clips of the source, random clips of the target.

Every random choice is a function of (seed, step) or (seed, step, place in the batch), never of a worker or a process:
the same global batches come out whatever the number of loader workers, and a run that resumes sees what it would have.
Several processes cut the global batch between them by persons, so that a person's K clips stay together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch.utils.data import DataLoader

from s2reid.batch import Clips
from s2reid.types import UNKNOWN, Tracklet
from s2reid.video.augment import Augmentation, augment
from s2reid.video.decode import read_frame
from s2reid.video.sample import restricted_random

SOURCE, TARGET = 1, 2  # streams of random numbers


@dataclass(frozen=True)
class ClipShape:
    """What one training clip looks like."""

    num_frames: int
    height: int
    width: int


@dataclass(frozen=True)
class Draw:
    """One clip to cut: which tracklet, at which size, and the seed of all that is random in it."""

    index: int
    shape: ClipShape
    seed: tuple[int, ...]


class PersonBatches:
    """Batches of P persons x K tracklets each, without end: batch `step` is a function of (seed, step).

    An epoch shuffles each person's tracklets and cuts them into groups of K (a person with fewer than K is filled up
    by drawing again; a remainder is left out this time). Groups come in rounds, one a person, so that the persons of a
    batch differ except where two rounds meet.
    """

    def __init__(self, persons: Int[np.ndarray, " n"], num_persons: int, clips_per_person: int, seed: int) -> None:
        self.tracklets_of = [np.flatnonzero(persons == person) for person in np.unique(persons)]
        if len(self.tracklets_of) < num_persons:
            raise ValueError(
                f"a batch needs {num_persons} persons, the source has {len(self.tracklets_of)}: "
                "give a larger source or fewer persons a batch"
            )
        if max(map(len, self.tracklets_of)) < 2:
            raise ValueError(
                f"each of the {len(self.tracklets_of)} source persons has one tracklet only: "
                "nothing says what two views of a person share; give a source with several tracklets a person"
            )
        self.num_persons, self.clips_per_person, self.seed = num_persons, clips_per_person, seed
        groups = sum(max(1, len(own) // clips_per_person) for own in self.tracklets_of)
        self.batches_per_epoch = groups // num_persons
        self._epoch: tuple[int, Int[np.ndarray, "groups clips"]] = (-1, np.zeros((0, clips_per_person), int))

    def __getitem__(self, step: int) -> Int[np.ndarray, "persons clips"]:
        epoch, place = divmod(step, self.batches_per_epoch)
        if self._epoch[0] != epoch:
            self._epoch = (epoch, self._groups(np.random.default_rng((self.seed, SOURCE, epoch))))
        return self._epoch[1][place * self.num_persons : (place + 1) * self.num_persons]

    def _groups(self, rng: np.random.Generator) -> Int[np.ndarray, "groups clips"]:
        size = self.clips_per_person
        rounds: list[list[Int[np.ndarray, " clips"]]] = []
        for own in self.tracklets_of:
            shuffled = rng.permutation(own)
            if len(own) < size:
                shuffled = np.concatenate([shuffled, rng.choice(own, size - len(own))])
            for place, start in enumerate(range(0, len(shuffled) - size + 1, size)):
                if place == len(rounds):
                    rounds.append([])
                rounds[place].append(shuffled[start : start + size])
        return np.concatenate([rng.permutation(np.stack(groups)) for groups in rounds])


class RandomBatches:
    """Batches of random tracklets, without labels and without end; each tracklet comes once an epoch."""

    def __init__(self, num_tracklets: int, size: int, seed: int) -> None:
        if num_tracklets < 1:
            raise ValueError("the target has no training tracklets: nothing to adapt to")
        self.num_tracklets, self.size, self.seed = num_tracklets, size, seed

    def __getitem__(self, step: int) -> Int[np.ndarray, "clips 1"]:
        places = np.arange(step * self.size, (step + 1) * self.size)
        epochs, within = np.divmod(places, self.num_tracklets)
        order = {epoch: self._order(int(epoch)) for epoch in np.unique(epochs)}
        return np.array([order[epoch][place] for epoch, place in zip(epochs, within)])[:, None]

    def _order(self, epoch: int) -> Int[np.ndarray, " n"]:
        return np.random.default_rng((self.seed, TARGET, epoch)).permutation(self.num_tracklets)


@dataclass(frozen=True)
class ClipSet:
    """Cuts clips on demand; what a loader worker holds. `persons` are the labels that training may see."""

    tracklets: Sequence[Tracklet]
    persons: Int[np.ndarray, " n"]
    augmentation: Augmentation

    def __getitem__(self, draw: Draw) -> tuple[torch.Tensor, int]:
        tracklet, rng = self.tracklets[draw.index], np.random.default_rng(draw.seed)
        chosen = restricted_random(tracklet.num_frames, draw.shape.num_frames, rng)
        images = [read_frame(tracklet.store, tracklet.frames[place]) for place in chosen]
        pixels = augment(images, draw.shape.height, draw.shape.width, self.augmentation, rng)
        return torch.from_numpy(pixels), draw.index

    def collate(self, cut: Sequence[tuple[torch.Tensor, int]]) -> Clips:
        index = [place for _, place in cut]
        pixels = torch.stack([clip for clip, _ in cut]).permute(0, 1, 4, 2, 3).contiguous()
        columns = ([self.tracklets[place].camera for place in index], [self.tracklets[place].outfit for place in index])
        camera, outfit = (torch.tensor(column) for column in columns)
        return Clips(pixels, torch.from_numpy(self.persons[index]), camera, outfit, torch.tensor(index))


def source_labels(tracklets: Sequence[Tracklet]) -> Int[np.ndarray, " n"]:
    """Map the persons of a labelled training part to 0..k-1, in the order of their numbers."""
    unlabelled = sum(tracklet.person < 0 for tracklet in tracklets)
    if unlabelled or not tracklets:
        raise ValueError(
            f"a source needs labelled training tracklets, found {len(tracklets)} of which {unlabelled} have no person: "
            "is this the target?"
        )
    return np.unique([tracklet.person for tracklet in tracklets], return_inverse=True)[1]


def target_labels(tracklets: Sequence[Tracklet]) -> Int[np.ndarray, " n"]:
    """Forget whatever labels a target has: training sees `UNKNOWN` only."""
    return np.full(len(tracklets), UNKNOWN)


def loader(
    clips: ClipSet,
    batches: PersonBatches | RandomBatches,
    shapes: Sequence[ClipShape],
    *,
    seed: int,
    first_step: int = 0,
    workers: int = 0,
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[Clips]:
    """Yield this process's share of the global batch of each step, from `first_step` to `len(shapes)`."""
    stream = SOURCE if isinstance(batches, PersonBatches) else TARGET
    mine = _Shares(batches, shapes, (seed, stream), first_step, rank, world_size)
    pin = torch.cuda.is_available()
    return iter(
        DataLoader(clips, batch_sampler=mine, num_workers=workers, collate_fn=clips.collate, pin_memory=pin)  # type: ignore[arg-type]
    )


@dataclass(frozen=True)
class _Shares:
    """The draws of one process, step by step."""

    batches: PersonBatches | RandomBatches
    shapes: Sequence[ClipShape]
    seed: tuple[int, int]
    first_step: int
    rank: int
    world_size: int

    def __iter__(self) -> Iterator[list[Draw]]:
        for step in range(self.first_step, len(self.shapes)):
            groups = self.batches[step]
            share = range(len(groups))[self.rank :: self.world_size]
            yield [
                Draw(int(index), self.shapes[step], (*self.seed, step, group, place))
                for group in share
                for place, index in enumerate(groups[group])
            ]

    def __len__(self) -> int:
        return len(self.shapes) - self.first_step
