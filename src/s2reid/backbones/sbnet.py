"""SBNet: SINet with its salient-to-broad modules only."""

from s2reid.backbones import sinet

SIZES = {scale: numbers | {"idm_after": ()} for scale, numbers in sinet.SIZES.items()}
"""The network's numbers at each scale: SINet's."""

build = sinet.build
