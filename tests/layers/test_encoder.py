"""Pixels to frame features, their mean, and the neck."""

import torch
from torch import nn

from s2reid.layers.encoder import MEAN, STD, Encoder


class Colours(nn.Module):
    """A backbone whose features are the mean colours of a frame."""

    num_features = 3

    def forward(self, pixels):
        return pixels.mean((3, 4))


def pixels(clips=4, frames=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (clips, frames, 3, 4, 2), dtype=torch.uint8, generator=generator)


def test_normalisation_is_that_of_imagenet():
    batch = pixels()
    found = Encoder(Colours()).normalise(batch)
    for channel in range(3):
        expected = (batch[:, :, channel].double() / 255 - MEAN[channel]) / STD[channel]
        torch.testing.assert_close(found[:, :, channel].double(), expected, rtol=1e-5, atol=1e-6)
    assert found.dtype == torch.float32


def test_the_video_is_the_mean_of_its_frames_and_the_neck_normalises_it():
    encoder = Encoder(Colours()).train()
    batch = pixels()
    features = encoder(batch)
    torch.testing.assert_close(features.frames, encoder.normalise(batch).mean((3, 4)))
    expected = torch.stack([sum(frames[t] for t in range(3)) / 3 for frames in features.frames])
    torch.testing.assert_close(features.video, expected)
    video = features.video
    scaled = (video - video.mean(0)) / (video.var(0, unbiased=False) + encoder.neck.eps).sqrt() * encoder.neck.weight
    torch.testing.assert_close(features.normalised, scaled, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(encoder.neck.running_mean, 0.1 * video.mean(0))


def test_only_the_necks_shift_is_fixed_and_only_weights_are_saved():
    encoder = Encoder(Colours())
    assert [name for name, p in encoder.named_parameters() if not p.requires_grad] == ["neck.bias"]
    assert {name.split(".")[0] for name in encoder.state_dict()} == {"neck"}
