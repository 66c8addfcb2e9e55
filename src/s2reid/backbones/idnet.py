"""IDNet: SINet with its integration-distribution modules only."""

from s2reid.backbones import sinet

SIZES = {scale: numbers | {"sbm_after": ()} for scale, numbers in sinet.SIZES.items()}
"""The network's numbers at each scale: SINet's."""

build = sinet.build
