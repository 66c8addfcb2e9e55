"""QAConv's matcher: each place of one map looks for the place it resembles most in the other (Liao & Shao 2020)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

ELEMENTS = 2**24
"""Products of two places held at a time: 64 MiB in float32."""


class Matcher(nn.Module):
    """Two lists of maps of one size, at length 1 over their channels -> a score for every pair; larger is more alike.

    Every place takes the largest cosine with a place of the other map, from query to gallery and back. A norm over all
    these values, a weight for each place (shared by both directions, which are added) and a norm over all pairs follow;
    in training both norms take their statistics from the pairs at hand.

    Departure: the sum over places has no bias, which the norm behind it would take away again.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.size = (height, width)
        self.norm = nn.BatchNorm1d(1)
        self.weight = nn.Parameter(torch.full((height * width,), 1 / (height * width)))
        self.score_norm = nn.BatchNorm1d(1)

    def forward(
        self, query: Float[Tensor, "q c h w"], gallery: Float[Tensor, "g c h w"], elements: int = ELEMENTS
    ) -> Float[Tensor, "q g"]:
        """Score all pairs, a block of them at a time: no more than about `elements` products of places are held.

        In training the largest products of all pairs are held too, since the norms look at them together.

        Raises `ValueError` for maps of another size than the matcher's.
        """
        height, width = query.shape[2:]
        if (height, width) != self.size:
            raise ValueError(
                f"the matcher weighs the places of maps of {self.size[0]}x{self.size[1]}, found {height}x{width}: "
                "match images of the size it was built for"
            )
        if self.training:
            return self._score(query, gallery, elements)
        num_query, num_gallery = _block(len(gallery), height * width, elements)
        blocks = [
            torch.cat([self._score(some, others, elements) for others in torch.split(gallery, num_gallery)], 1)
            for some in torch.split(query, num_query)
        ]
        return torch.cat(blocks)

    def _score(
        self, query: Float[Tensor, "q c h w"], gallery: Float[Tensor, "g c h w"], elements: int
    ) -> Float[Tensor, "q g"]:
        best = resemblance(query.flatten(2), gallery.flatten(2), elements)
        scaled = self.norm(best.reshape(-1, 1)).view_as(best)
        scores: Tensor = self.score_norm((scaled * self.weight).sum((2, 3)).reshape(-1, 1))
        return scores.view(len(query), len(gallery))


def resemblance(
    query: Float[Tensor, "q c s"], gallery: Float[Tensor, "g c s"], elements: int = ELEMENTS
) -> Float[Tensor, "q g 2 s"]:
    """Find the largest product of every place with a place of the other map: of the query's places, then the gallery's.

    >>> one, other = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.5, 2.0]]])
    >>> resemblance(one, other).tolist()
    [[[[2.0, 0.0], [0.5, 2.0]]]]
    """
    num_query, num_gallery = _block(len(gallery), query.shape[2], elements)
    rows = []
    for some in torch.split(query, num_query):
        blocks = []
        for others in torch.split(gallery, num_gallery):
            products = torch.einsum("qcs,gcr->qgsr", some, others)
            # `max` keeps places for its gradient; `amax` would keep the products.
            blocks.append(torch.stack([products.max(3).values, products.max(2).values], 2))
        rows.append(torch.cat(blocks, 1))
    return torch.cat(rows)


def _block(num_gallery: int, places: int, elements: int) -> tuple[int, int]:
    """Choose how many queries and gallery entries to compare at a time."""
    num_pairs = max(1, elements // places**2)
    num_gallery = max(1, min(num_gallery, num_pairs))
    return max(1, num_pairs // num_gallery), num_gallery
