"""Batches: P different persons x K clips, a function of the seed and the step alone."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from tests import tiny

from s2reid.batch import Clips
from s2reid.types import UNKNOWN, Tracklet
from s2reid.video.augment import NONE, Augmentation
from s2reid.video.loader import (
    ClipSet,
    ClipShape,
    OrderedBatches,
    PersonBatches,
    RandomBatches,
    loader,
    look,
    outfit_labels,
    source_labels,
    target_labels,
)


def persons(counts):
    """Give the persons of tracklets, shuffled, `counts[p]` of person p."""
    return np.random.default_rng(9).permutation(np.repeat(np.arange(len(counts)), counts))


CROWDS = {
    "equal": ([4] * 10, 4, 2),
    "unequal": ([1, 2, 3, 4, 5, 6, 7, 8], 3, 2),
    "fewer than K": ([1, 2, 2, 3, 1], 4, 4),
    "one has most": ([100, 4, 4, 4, 4], 3, 4),
    "as many persons as a batch": ([9, 5, 3], 3, 2),
    "single tracklets among others": ([1, 1, 1, 1, 2], 2, 2),
}


@pytest.mark.parametrize(("counts", "size", "each"), CROWDS.values(), ids=CROWDS)
def test_a_batch_is_p_different_persons_with_k_clips_each(counts, size, each):
    owner = persons(counts)
    batches = PersonBatches(owner, size, each, seed=1)
    for step in range(3 * batches.batches_per_epoch):
        batch = batches[step]
        assert batch.shape == (size, each)
        assert all(len(set(owner[group])) == 1 for group in batch)
        assert len({owner[group[0]] for group in batch}) == size
        for group in batch:  # tracklets repeat only where a person has too few
            assert len(set(group)) == min(each, counts[owner[group[0]]])


@pytest.mark.parametrize(("counts", "size", "each"), CROWDS.values(), ids=CROWDS)
def test_an_epoch_is_as_long_as_it_can_be(counts, size, each):
    groups = [max(1, count // each) for count in counts]
    longest = max(n for n in range(1, 200) if sum(min(own, n) for own in groups) >= size * n)
    assert PersonBatches(persons(counts), size, each, 0).batches_per_epoch == longest


@pytest.mark.parametrize(("counts", "size", "each"), CROWDS.values(), ids=CROWDS)
def test_an_epoch_shows_no_tracklet_twice_but_to_fill_up(counts, size, each):
    owner = persons(counts)
    batches = PersonBatches(owner, size, each, 2)
    for epoch in range(3):
        steps = range(epoch * batches.batches_per_epoch, (epoch + 1) * batches.batches_per_epoch)
        shown = Counter(np.concatenate([batches[step].ravel() for step in steps]).tolist())
        assert all(times == 1 for index, times in shown.items() if counts[owner[index]] >= each)


def test_an_epoch_covers_every_tracklet_where_groups_fit():
    batches = PersonBatches(persons([4] * 10), 4, 2, 3)
    assert batches.batches_per_epoch == 5
    for epoch in range(4):
        shown = np.concatenate([batches[5 * epoch + step].ravel() for step in range(5)])
        assert sorted(shown.tolist()) == list(range(40))


def test_what_one_epoch_leaves_out_another_shows():
    batches = PersonBatches(persons([7, 5, 3, 1]), 3, 2, 4)
    shown = np.unique(np.concatenate([batches[step].ravel() for step in range(40)]))
    assert shown.tolist() == list(range(16))


def test_batches_are_a_function_of_seed_and_step():
    owner = persons([4] * 10)
    in_order = [PersonBatches(owner, 4, 2, 5)[step] for step in range(12)]
    shuffled = PersonBatches(owner, 4, 2, 5)
    for step in (11, 3, 7, 3, 0):
        assert (shuffled[step] == in_order[step]).all()
    assert any((PersonBatches(owner, 4, 2, 6)[step] != in_order[step]).any() for step in range(3))
    assert all((one != other).any() for one, other in pairwise(in_order))


@pytest.mark.parametrize(
    ("counts", "size", "message"),
    [
        ([2, 2], 3, "a batch needs 3 persons, the source has 2: give a larger source or fewer persons a batch"),
        ([1, 1, 1], 3, "each of the 3 source persons has one tracklet only"),
    ],
)
def test_sources_that_cannot_fill_a_batch(counts, size, message):
    with pytest.raises(ValueError, match=message):
        PersonBatches(persons(counts), size, 2, 0)


@pytest.mark.parametrize(("num_tracklets", "size"), [(7, 3), (3, 7), (1, 4), (6, 6)])
def test_random_batches_show_each_tracklet_once_an_epoch(num_tracklets, size):
    batches = RandomBatches(num_tracklets, size, 0)
    stream = np.concatenate([batches[step].ravel() for step in range(4 * num_tracklets)])
    assert batches[0].shape == (size, 1)
    for start in range(0, len(stream), num_tracklets):
        assert sorted(stream[start : start + num_tracklets].tolist()) == list(range(num_tracklets))
    again = RandomBatches(num_tracklets, size, 0)
    assert (again[5] == batches[5]).all()


def test_an_empty_target():
    with pytest.raises(ValueError, match="the target has no training tracklets: nothing to adapt to"):
        RandomBatches(0, 4, 0)


def test_labels():
    tracklets = [Tracklet("", ("x",), person, 0) for person in (30, 7, 30, 12)]
    assert source_labels(tracklets).tolist() == [2, 0, 2, 1]
    assert target_labels(tracklets).tolist() == [UNKNOWN] * 4
    for wrong, message in (
        ([*tracklets, Tracklet("", ("x",), UNKNOWN, 0)], "found 5 of which 1 have"),
        ([], "found 0"),
    ):
        with pytest.raises(ValueError, match=message + r".*is this the target\?"):
            source_labels(wrong)


def test_outfits_are_counted_over_persons_and_a_targets_are_forgotten(tracklets):
    worn = tuple(replace(tracklet, outfit=3 * (place % 2)) for place, tracklet in enumerate(tracklets))
    assert outfit_labels(worn).tolist() == [0, 1, 0, 1, 2, 3, 2, 5, 4, 6]
    for batch in stream(worn):
        assert batch.outfit.tolist() == outfit_labels(worn)[batch.index].tolist()
        assert len(batch.outfit.unique()) > 3
    assert all(batch.outfit.unique().tolist() == [UNKNOWN] for batch in stream(worn, is_target=True))


@pytest.fixture(scope="module")
def tracklets(tmp_path_factory):
    """Four persons with 4, 3, 2 and 1 tracklets."""
    return tiny.write_tracklets(tmp_path_factory.mktemp("frames"), [4, 3, 2, 1])


SHAPES = [ClipShape(2, 16, 8)] * 3 + [ClipShape(2, 32, 16)] * 3


def stream(tracklets, is_target=False, augmentation=Augmentation(), seed=3, **options):
    labels = (target_labels if is_target else source_labels)(tracklets)
    batches = RandomBatches(len(tracklets), 6, seed) if is_target else PersonBatches(labels, 3, 2, seed)
    outfits = (target_labels if is_target else outfit_labels)(tracklets)
    return list(loader(ClipSet(tracklets, labels, outfits, augmentation), batches, SHAPES, seed=seed, **options))


def are_equal(one, other):
    columns = ("pixels", "person", "camera", "outfit", "index")
    return len(one) == len(other) and all(
        torch.equal(getattr(a, name), getattr(b, name)) for a, b in zip(one, other) for name in columns
    )


@pytest.mark.parametrize("is_target", [False, True])
def test_batches_hold_what_they_say(tracklets, is_target):
    batches = stream(tracklets, is_target)
    assert [batch.pixels.shape for batch in batches] == [(6, 2, 3, 16, 8)] * 3 + [(6, 2, 3, 32, 16)] * 3
    for batch in batches:
        assert batch.pixels.dtype == torch.uint8
        own = [tracklets[index] for index in batch.index.tolist()]
        assert batch.camera.tolist() == [tracklet.camera for tracklet in own]
        assert batch.person.tolist() == [UNKNOWN if is_target else tracklet.person for tracklet in own]
        assert batch.num_images == 12
        assert len(batch) == 6


def test_without_augmentation_the_pixels_are_the_frames(tracklets):
    batch = stream(tracklets, augmentation=NONE)[-1]
    for clip, index in zip(batch.pixels, batch.index.tolist()):
        tracklet = tracklets[index]
        for t, allowed in enumerate([(0,), (1, 2)]):
            errors = [
                np.abs(clip[t].permute(1, 2, 0).numpy() - tiny.image(tracklet.person, tracklet.camera, f) * 1.0)
                for f in allowed
            ]
            assert min(error.mean() for error in errors) < 12


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # on a machine with one core
@pytest.mark.parametrize("is_target", [False, True])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_workers_change_nothing(tracklets, workers, is_target):
    assert are_equal(stream(tracklets, is_target, workers=workers), stream(tracklets, is_target))


@pytest.mark.parametrize("is_target", [False, True])
@pytest.mark.parametrize("first_step", [1, 4, 6])
def test_a_resumed_stream_goes_on_as_the_whole_one(tracklets, first_step, is_target):
    assert are_equal(stream(tracklets, is_target, first_step=first_step), stream(tracklets, is_target)[first_step:])


@pytest.mark.parametrize(("is_target", "world_size"), [(False, 1), (False, 3), (True, 2), (True, 6)])
def test_the_shares_of_several_processes_are_the_global_batch_one_after_the_other(tracklets, is_target, world_size):
    shares = [stream(tracklets, is_target, rank=rank, world_size=world_size) for rank in range(world_size)]
    columns = ("pixels", "person", "camera", "outfit", "index")
    joined = [
        Clips(*(torch.cat([getattr(part, name) for part in parts]) for name in columns)) for parts in zip(*shares)
    ]
    assert are_equal(joined, stream(tracklets, is_target))
    assert {len(batch) for share in shares for batch in share} == {6 // world_size}


@pytest.mark.parametrize("world_size", [2, 4])
def test_processes_that_cannot_share_a_batch_evenly(tracklets, world_size):
    message = f"{world_size} processes cannot share the 3 groups of a batch evenly: start as many .* as divide 3"
    with pytest.raises(ValueError, match=message):
        stream(tracklets, world_size=world_size)


def test_seeds_differ_and_source_and_target_do_not_share_draws(tracklets):
    assert not are_equal(stream(tracklets), stream(tracklets, seed=4))
    assert not are_equal(stream(tracklets, True), stream(tracklets, True, seed=4))


@pytest.mark.parametrize("workers", [0, 1])
def test_the_global_generator_is_not_touched(tracklets, workers):
    before = torch.get_rng_state()
    stream(tracklets, workers=workers)
    assert torch.equal(torch.get_rng_state(), before)


def test_frames_of_mixed_sizes(tmp_path):
    own = [
        *tiny.write_tracklets(tmp_path / "a", [2, 2], size=(40, 20)),
        *tiny.write_tracklets(tmp_path / "b", [2, 2, 2], size=(9, 31)),
    ]
    batches = stream(own)
    assert len(batches) == 6
    assert batches[-1].pixels.shape == (6, 2, 3, 32, 16)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("content", [b"", b"no picture", None], ids=["zero bytes", "no image", "missing"])
def test_a_frame_that_cannot_be_read_is_named_in_one_line_from_a_worker_too(tmp_path, content, workers):
    own = tiny.write_tracklets(tmp_path, [2, 2, 2])
    for tracklet in own:
        for path in tracklet.paths():
            tiny.Path(path).unlink() if content is None else tiny.Path(path).write_bytes(content)
    with pytest.raises(ValueError, match=r"the frame .*_\d.jpg") as raised:
        stream(own, workers=workers)
    assert "\n" not in str(raised.value)
    assert "Traceback" not in str(raised.value)


def test_ordered_batches_take_the_persons_they_are_told_row_by_row():
    labels = np.array([2, 0, 2, 1, 0, 2, 3, 3])
    order = np.array([[3, 0], [1, 2], [2, 3]])
    batches, other = (OrderedBatches(labels, order, 2, seed) for seed in (0, 1))
    for step in range(9):
        assert batches[step].shape == (2, 2)
        assert [set(labels[own]) for own in batches[step]] == [{person} for person in order[step % 3]]
        assert all(
            len(set(own)) == min(2, (labels == person).sum()) for own, person in zip(batches[step], order[step % 3])
        )
        assert np.array_equal(batches[step], batches[step])
    assert any(not np.array_equal(batches[step], other[step]) for step in range(9))


def test_a_look_shows_each_tracklet_the_same_way_and_in_order(tracklets):
    clips = ClipSet(tracklets, source_labels(tracklets), outfit_labels(tracklets), Augmentation())
    index = [7, 0, 3, 7, 5]
    shown = list(look(clips, index, SHAPES[-1], seed=3, size=2))
    assert [len(pixels) for pixels in shown] == [2, 2, 1]
    whole = torch.cat(shown)
    assert torch.equal(whole[0], whole[3])
    assert not torch.equal(whole[0], whole[1])
    assert torch.equal(torch.cat(list(look(clips, index[1:3], SHAPES[-1], seed=3))), whole[1:3])
