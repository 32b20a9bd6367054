"""What the compact base predicts finer than its tokens: features of pixels, weighed by the tokens.

A token of 8x8 pixels describes its patch, but gives each of 192 numbers by a linear map of one
vector: what it predicts has patches, and little in them. So it also says how much each feature
of a pixel counts around it; what it says is spread over the pixels smoothly, and the features
follow shadows and edges. Source of the idea: Gharbi et al., Deep Bilateral Learning, 1707.02880.

Shapes: B batch, C = 3 channels, F features, H height, W width, L tokens, D channels of a token.
"""

from itertools import pairwise

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

_DILATIONS = (1, 2, 4)  # a pixel sees seven to each side: the patch around it


class PixelFeatures(ModelMixin, ConfigMixin):  # type: ignore[misc]  # diffusers ships no types
    """Features of every pixel among its neighbours, by a few convolutions of the source.

    Args:
        num_features: features of a pixel; the first is 1 everywhere.
        width: channels between the convolutions.
    """

    @register_to_config  # type: ignore[untyped-decorator]  # diffusers ships no types
    def __init__(self, num_features: int, width: int) -> None:
        super().__init__()
        widths = (3, *(width for _ in _DILATIONS[1:]), num_features - 1)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(ins, outs, 3, padding=dilation, dilation=dilation)
            for (ins, outs), dilation in zip(pairwise(widths), _DILATIONS, strict=True)
        )

    def forward(self, source_BCHW: Tensor) -> Tensor:
        """Return features (B, F, H, W) of a source in log light."""
        # a CPU convolves channels that lie together in two thirds of the time
        features = source_BCHW.contiguous(memory_format=torch.channels_last)
        for convolution in self.convolutions:
            features = functional.gelu(convolution(features))
        return functional.pad(features, (0, 0, 0, 0, 1, 0), value=1.0)


def weighed(weights_BLD: Tensor, features_BFHW: Tensor, rows: int) -> Tensor:
    """Return the sum of features by weights that tokens give them, (B, C, H, W).

    `weights_BLD` holds a weight per channel and feature of each token, D = C * F, row by row of
    `rows` rows; between the middles of tokens they are linear.
    """
    height_px, width_px = features_BFHW.shape[2:]
    coarse = rearrange(weights_BLD, "b (h w) d -> b d h w", h=rows)
    fine = functional.interpolate(coarse, size=(height_px, width_px), mode="bilinear")
    by_channel = fine.chunk(3, dim=1)
    return torch.stack([(weights * features_BFHW).sum(dim=1) for weights in by_channel], dim=1)
