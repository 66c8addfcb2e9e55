"""Batches of clips: P persons x K clips of the source, random tracklets of the target; or what a plan asks for.

Every random choice is a function of (seed, step) or (seed, step, place in the batch), never of a worker or a process:
the same global batches come out whatever the number of loader workers, and a run that resumes sees what it would have.
Several processes cut the global batch between them into equal runs of persons, so that their shares, one after the
other, are the batch again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch.utils.data import DataLoader

from s2reid.batch import Clips
from s2reid.types import UNKNOWN, Tracklet
from s2reid.video.augment import NONE, Augmentation, augment
from s2reid.video.decode import read_frames
from s2reid.video.sample import restricted_random

SOURCE, TARGET, PLAN = 1, 2, 3  # streams of random numbers


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
    by drawing again; a remainder is left out this time). A batch takes a group of each of the P persons with the most
    groups left, ties at random: its persons always differ, and no other rule makes more batches of an epoch.
    """

    def __init__(
        self, persons: Int[np.ndarray, " n"], num_persons: int, clips_per_person: int, seed: int, stream: int = SOURCE
    ) -> None:
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
        self.num_persons, self.clips_per_person, self.seed, self.stream = num_persons, clips_per_person, seed, stream
        groups = np.array([max(1, len(own) // clips_per_person) for own in self.tracklets_of])
        self.batches_per_epoch = int(groups.sum()) // num_persons
        while np.minimum(groups, self.batches_per_epoch).sum() < num_persons * self.batches_per_epoch:
            self.batches_per_epoch -= 1  # a batch needs P different persons that have a group left
        self._epoch: tuple[int, Int[np.ndarray, "batches persons clips"]] = (-1, np.zeros((0, 0, 0), int))

    def __getitem__(self, step: int) -> Int[np.ndarray, "persons clips"]:
        epoch, place = divmod(step, self.batches_per_epoch)
        if self._epoch[0] != epoch:
            self._epoch = (epoch, self._deal(np.random.default_rng((self.seed, self.stream, epoch))))
        return self._epoch[1][place]

    def _deal(self, rng: np.random.Generator) -> Int[np.ndarray, "batches persons clips"]:
        groups = [self._cut(own, rng) for own in self.tracklets_of]
        left = np.array([len(own) for own in groups])
        batches = []
        for _ in range(self.batches_per_epoch):
            chosen = np.lexsort((rng.random(len(left)), -left))[: self.num_persons]
            left[chosen] -= 1
            batches.append([groups[person][left[person]] for person in chosen])
        return rng.permutation(np.array(batches))

    def _cut(self, own: Int[np.ndarray, " n"], rng: np.random.Generator) -> Int[np.ndarray, "groups clips"]:
        """Shuffle one person's tracklets and cut them into groups."""
        size = self.clips_per_person
        filling = rng.choice(own, max(0, size - len(own)))
        shuffled = np.concatenate([rng.permutation(own), filling])
        return shuffled[: len(shuffled) // size * size].reshape(-1, size)


class OrderedBatches:
    """Batches of the P persons of a row x K tracklets each; after the last row comes the first again.

    A person's K tracklets differ where it has so many.
    """

    stream = SOURCE

    def __init__(
        self,
        persons: Int[np.ndarray, " n"],
        order: Int[np.ndarray, "rows persons"],
        clips_per_person: int,
        seed: int,
    ) -> None:
        self.tracklets_of = [np.flatnonzero(persons == person) for person in np.unique(persons)]
        self.order, self.clips_per_person, self.seed = order, clips_per_person, seed

    def __getitem__(self, step: int) -> Int[np.ndarray, "persons clips"]:
        rng = np.random.default_rng((self.seed, PLAN, step))
        row = [self.tracklets_of[person] for person in self.order[step % len(self.order)]]
        return np.array([rng.choice(own, self.clips_per_person, len(own) < self.clips_per_person) for own in row])


class RandomBatches:
    """Batches of `size` random tracklets x `views` clips each, without labels and without end.

    Each tracklet comes once an epoch; a target with fewer than `size` comes several times in a batch.
    """

    stream = TARGET

    def __init__(self, num_tracklets: int, size: int, seed: int, views: int = 1) -> None:
        if num_tracklets < 1:
            raise ValueError("the target has no training tracklets: nothing to adapt to")
        self.num_tracklets, self.size, self.seed, self.views = num_tracklets, size, seed, views

    def __getitem__(self, step: int) -> Int[np.ndarray, "tracklets views"]:
        places = np.arange(step * self.size, (step + 1) * self.size)
        epochs, within = np.divmod(places, self.num_tracklets)
        order = {epoch: self._order(int(epoch)) for epoch in np.unique(epochs)}
        drawn = np.array([order[epoch][place] for epoch, place in zip(epochs, within)])
        return np.repeat(drawn[:, None], self.views, axis=1)

    def _order(self, epoch: int) -> Int[np.ndarray, " n"]:
        return np.random.default_rng((self.seed, TARGET, epoch)).permutation(self.num_tracklets)


Batches = PersonBatches | OrderedBatches | RandomBatches


@dataclass(frozen=True)
class ClipSet:
    """Cuts clips on demand; what a loader worker holds. `persons` and `outfits` are what training may see of labels."""

    tracklets: Sequence[Tracklet]
    persons: Int[np.ndarray, " n"]
    outfits: Int[np.ndarray, " n"]
    augmentation: Augmentation

    def __getitem__(self, draws: Sequence[Draw]) -> Clips | ValueError:
        """Cut a batch, or return what is wrong: raised in a worker, it would arrive with a traceback as its text."""
        try:
            return self.collate(self.cut(draws))
        except ValueError as error:
            return error

    def cut(self, draws: Sequence[Draw]) -> list[tuple[torch.Tensor, int]]:
        rngs = [np.random.default_rng(draw.seed) for draw in draws]
        places = [
            (tracklet.store, tracklet.frames[place])
            for draw, rng in zip(draws, rngs)
            for tracklet in [self.tracklets[draw.index]]
            for place in restricted_random(tracklet.num_frames, draw.shape.num_frames, rng)
        ]
        images = read_frames(places)  # one by one: of a batch only what is cut stays in memory
        found = []
        for draw, rng in zip(draws, rngs):
            clip = [next(images) for _ in range(draw.shape.num_frames)]
            pixels = augment(clip, draw.shape.height, draw.shape.width, self.augmentation, rng)
            found.append((torch.from_numpy(pixels), draw.index))
        return found

    def collate(self, cut: Sequence[tuple[torch.Tensor, int]]) -> Clips:
        index = [place for _, place in cut]
        pixels = torch.stack([clip for clip, _ in cut]).permute(0, 1, 4, 2, 3).contiguous()
        camera = torch.tensor([self.tracklets[place].camera for place in index])
        person, outfit = (torch.from_numpy(labels[index]) for labels in (self.persons, self.outfits))
        return Clips(pixels, person, camera, outfit, torch.tensor(index))


def source_labels(tracklets: Sequence[Tracklet]) -> Int[np.ndarray, " n"]:
    """Map the persons of a labelled training part to 0..k-1, in the order of their numbers."""
    unlabelled = sum(tracklet.person < 0 for tracklet in tracklets)
    if unlabelled or not tracklets:
        raise ValueError(
            f"a source needs labelled training tracklets, found {len(tracklets)} of which {unlabelled} have no person: "
            "is this the target? (persons:DIR?train=true trains on labelled folders)"
        )
    return np.unique([tracklet.person for tracklet in tracklets], return_inverse=True)[1]


def outfit_labels(tracklets: Sequence[Tracklet]) -> Int[np.ndarray, " n"]:
    """Map the pairs of person and outfit to 0..o-1, in their order: a person's outfits are neighbours.

    >>> outfit_labels([Tracklet(".", (), person, 0, outfit) for person, outfit in ((7, 0), (3, 5), (3, 2), (7, 0))])
    array([2, 1, 0, 2])
    """
    worn = [(tracklet.person, tracklet.outfit) for tracklet in tracklets]
    numbers = {pair: number for number, pair in enumerate(sorted(set(worn)))}
    return np.array([numbers[pair] for pair in worn])


def target_labels(tracklets: Sequence[Tracklet]) -> Int[np.ndarray, " n"]:
    """Forget whatever labels a target has: training sees `UNKNOWN` only."""
    return np.full(len(tracklets), UNKNOWN)


def look(
    clips: ClipSet, index: Iterable[int], shape: ClipShape, seed: int, size: int = 64
) -> Iterator[UInt8[torch.Tensor, "b t 3 h w"]]:
    """Yield one clip of each tracklet, in batches: random frames, always the same for a seed, without augmentation."""
    plain = replace(clips, augmentation=NONE)
    draws = [Draw(place, shape, (seed, PLAN, place)) for place in index]
    wanted = (plain[draws[start : start + size]] for start in range(0, len(draws), size))
    yield from (batch.pixels for batch in _opened(wanted))


def loader(
    clips: ClipSet,
    batches: Batches,
    shapes: Sequence[ClipShape],
    *,
    seed: int,
    first_step: int = 0,
    workers: int = 0,
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[Clips]:
    """Yield this process's share of the global batch of each step, from `first_step` to `len(shapes)`.

    Raises `ValueError` where the groups of a batch (persons, or tracklets of the target) cannot be shared evenly, and
    for a frame that cannot be read.
    """
    if len(batches[0]) % world_size:
        raise ValueError(
            f"{world_size} processes cannot share the {len(batches[0])} groups of a batch evenly: start as many "
            f"processes as divide {len(batches[0])}"
        )
    mine = _Shares(batches, shapes, (seed, batches.stream), first_step, rank, world_size)
    own = torch.Generator().manual_seed(seed)  # else a resumed run would draw once more from the global one
    pin = torch.cuda.is_available()
    return _opened(
        DataLoader(clips, sampler=mine, batch_size=None, num_workers=workers, pin_memory=pin, generator=own)  # type: ignore[arg-type]
    )


def _opened(batches: Iterable[Clips | ValueError]) -> Iterator[Clips]:
    """Raise, here in the main process, what went wrong in a worker."""
    for batch in batches:
        if isinstance(batch, ValueError):
            raise batch
        yield batch


@dataclass(frozen=True)
class _Shares:
    """The draws of one process, step by step."""

    batches: Batches
    shapes: Sequence[ClipShape]
    seed: tuple[int, int]
    first_step: int
    rank: int
    world_size: int

    def __iter__(self) -> Iterator[list[Draw]]:
        for step in range(self.first_step, len(self.shapes)):
            groups = self.batches[step]
            size = len(groups) // self.world_size
            share = range(self.rank * size, (self.rank + 1) * size)
            yield [
                Draw(int(index), self.shapes[step], (*self.seed, step, group, place))
                for group in share
                for place, index in enumerate(groups[group])
            ]

    def __len__(self) -> int:
        return len(self.shapes) - self.first_step
