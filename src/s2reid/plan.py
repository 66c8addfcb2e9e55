"""Before an epoch: a learner looks at the data as it sees it now, and says what the epoch's batches hold."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from s2reid.learner import Learner, View
from s2reid.scales import Schedule
from s2reid.video.loader import PLAN, TARGET, Batches, ClipSet, ClipShape, OrderedBatches, PersonBatches, look


def plan(
    learner: Learner,
    epoch: int,
    clip_sets: Sequence[ClipSet],
    usual: Sequence[Batches],
    schedule: Schedule,
    shape: ClipShape,
    seed: int,
) -> list[Batches]:
    """Turn the order that a learner asks for into batches of the source and, where there is one, of the target.

    Args:
        clip_sets: those of the source and the target.
        usual: their batches where the learner asks for nothing.
        shape: of the clips that it may look at.
    """
    own = int(np.random.SeedSequence((seed, PLAN, epoch)).generate_state(1)[0])
    learner.eval()
    with torch.no_grad():
        source, *target = (_view(learner, clips, shape, own) for clips in clip_sets)
        order = learner.plan(epoch, own, source, target[0] if target else None)
    learner.train()
    batches = list(usual)
    if order.persons is not None:
        persons = order.persons.cpu().numpy()
        batches[0] = OrderedBatches(clip_sets[0].persons, persons, schedule.clips_per_person, seed)
    if order.groups is not None:
        groups = order.groups.cpu().numpy()
        num_groups = min(schedule.num_persons, len(np.unique(groups)))
        each = schedule.num_persons * schedule.clips_per_person // num_groups
        batches[1] = PersonBatches(groups, num_groups, each, seed, TARGET)
    return batches


def _view(learner: Learner, clips: ClipSet, shape: ClipShape, seed: int) -> View:
    device = next(learner.parameters()).device

    def embed(index: Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        return torch.cat([learner.encode(pixels.to(device)) for pixels in look(clips, index.tolist(), shape, seed)])

    return View(torch.from_numpy(clips.persons), embed)
