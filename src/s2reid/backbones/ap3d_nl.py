"""AP3D with non-local blocks over the clip (NL-AP3D, Gu et al. 2020)."""

from s2reid.backbones import ap3d

SIZES = {
    "small": {**ap3d.SIZES["small"], "non_local": ("layer2.1", "layer3.1")},
    "paper": {**ap3d.SIZES["paper"], "non_local": ("layer2.1", "layer2.3", "layer3.1", "layer3.3", "layer3.5")},
}
"""The network's numbers at each scale; at the small one a non-local block follows the last block of its stage."""

build = ap3d.build
