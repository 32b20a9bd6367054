"""The compact base: a small stock `FluxTransformer2DModel` that works in log light, without a VAE.

A picture is packed into tokens of 8x8 pixels, the source rides on the channel axis, and the network
predicts the clean target as source plus a correction (x-prediction, Li and He 2511.13720). A token
gives the correction of its pixels, and weighs what pixels are like (`train.model.pixel_features`).

Shapes: B batch, C = 3 channels, H height, W width (multiples of 8), L tokens, T words, D width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import FluxTransformer2DModel
from einops import rearrange
from torch import Tensor, nn

from train.model.flow import shifted
from train.model.log_light import HALF_RANGE_STOPS
from train.model.pixel_features import PixelFeatures, weighed
from train.model.vocabulary import (
    WORDS_PER_EDIT,
    WORDS_PER_NUMBER,
    WordEncoder,
    number_vocabulary,
    vocabulary,
)

PATCH_PX = 8
COMPACT_TIME_SHIFT = 30.0  # nearly pure noise, from which it predicts in one step
_HEAD_DIM = 32
_ROPE_DIMS = (8, 12, 12)  # sum to the head width: (unused, row, column)
_NUM_DOUBLE_BLOCKS, _NUM_SINGLE_BLOCKS = 2, 4
_PATCH_CHANNELS = 3 * PATCH_PX * PATCH_PX
_NUM_FEATURES, _FEATURE_WIDTH = 8, 16


@dataclass(frozen=True)
class CompactBase:
    """A transformer, the encoder of the words it was trained with, and its features of pixels."""

    transformer: FluxTransformer2DModel
    word_encoder: WordEncoder
    pixel_features: PixelFeatures

    def modules(self) -> tuple[nn.Module, ...]:
        """Return all networks, in the order in which their weights are stored."""
        return self.transformer, self.word_encoder, self.pixel_features

    def save(self, folder: Path) -> None:
        """Write all networks as config.json + safetensors, in the layout of a pipeline."""
        self.transformer.save_pretrained(folder / "transformer")
        self.word_encoder.save_pretrained(folder / "word_encoder")
        self.pixel_features.save_pretrained(folder / "pixel_features")


def paint_time(shift: float | None) -> float:
    """Return the time at which a base edits: half of the times of its training lie on either side.

    At pure noise, the end of all times, an edit came out a thousandth weaker than in the middle.
    `shift` is that of its job; None: the base's own.
    """
    return float(shifted(torch.tensor(0.5), shift or COMPACT_TIME_SHIFT))


def build_compact(
    hidden_size: int, attributes: Sequence[str], num_places: int, *, reads_numbers: bool = False
) -> CompactBase:
    """Return a fresh base that starts as the identity; torch's global generator must be seeded.

    `reads_numbers` gives it the words of numbers instead of those of directions and strengths.
    """
    transformer = FluxTransformer2DModel(
        patch_size=1,  # packing into patches happens in `predict_target`
        in_channels=2 * _PATCH_CHANNELS,
        out_channels=_PATCH_CHANNELS + 3 * _NUM_FEATURES,
        num_layers=_NUM_DOUBLE_BLOCKS,
        num_single_layers=_NUM_SINGLE_BLOCKS,
        attention_head_dim=_HEAD_DIM,
        num_attention_heads=hidden_size // _HEAD_DIM,
        joint_attention_dim=hidden_size,
        pooled_projection_dim=hidden_size,
        axes_dims_rope=_ROPE_DIMS,
    )
    nn.init.zeros_(transformer.proj_out.weight)
    nn.init.zeros_(transformer.proj_out.bias)
    _reserve_offsets(transformer, hidden_size)
    words = number_vocabulary(attributes) if reads_numbers else vocabulary(attributes)
    words_per_place = WORDS_PER_NUMBER if reads_numbers else WORDS_PER_EDIT
    # A word's vector depends on its place, which says whose word it is and what a digit is worth.
    # Measured on numbers (800 steps, width 32): a vector per word plus one per place leaves errors
    # of 0.23 stops of exposure and 0.38 between red and blue, one per word at a place 0.20 and 0.23
    num_positions = num_places * words_per_place
    encoder = WordEncoder(list(words), num_places, hidden_size, num_positions)
    return CompactBase(transformer, encoder, PixelFeatures(_NUM_FEATURES, _FEATURE_WIDTH))


def _reserve_offsets(transformer: FluxTransformer2DModel, hidden_size: int) -> None:
    """Let the last three channels of the width add nothing but light: a stop to each colour.

    What brightens all light alike must come out alike in every scene. But 128 channels cannot give
    216 numbers of a token one by one, so an exposure came with patterns and with features of the
    scene, and scenes differed by 0.0012 stop. These three lead to the feature that is 1 everywhere,
    and to nothing else: their columns of the last layer learn nothing, apart from weight decay.
    They are silent at the start, so that a fresh base is the identity.
    """
    offsets = slice(hidden_size - 3, hidden_size)
    weight_OD, modulation = transformer.proj_out.weight, transformer.norm_out.linear
    with torch.no_grad():
        for channel, column in enumerate(range(hidden_size - 3, hidden_size)):
            weight_OD[_PATCH_CHANNELS + channel * _NUM_FEATURES, column] = 1.0 / HALF_RANGE_STOPS
        # scales come first, then shifts; diffusers adds 1 to a scale
        for parts, silent in zip(modulation.bias.chunk(2), (-1.0, 0.0), strict=True):
            parts[offsets] = silent
        for parts in modulation.weight.chunk(2):
            parts[offsets] = 0.0
    learns_D = torch.ones(hidden_size)
    learns_D[offsets] = 0.0
    weight_OD.register_hook(lambda gradient_OD: gradient_OD * learns_D.to(gradient_OD.device))


def load_compact(folder: Path) -> CompactBase:
    """Read a base written by `CompactBase.save`; only safetensors are read."""
    return CompactBase(
        FluxTransformer2DModel.from_pretrained(folder / "transformer", use_safetensors=True),
        WordEncoder.from_pretrained(folder / "word_encoder", use_safetensors=True),
        PixelFeatures.from_pretrained(folder / "pixel_features", use_safetensors=True),
    )


def pack(picture_BCHW: Tensor) -> Tensor:
    """Return tokens (B, L, 3 * 64) of a picture, one per patch, row by row."""
    return rearrange(
        picture_BCHW, "b c (h p) (w q) -> b (h w) (c p q)", p=PATCH_PX, q=PATCH_PX
    ).contiguous()


def unpack(tokens_BLD: Tensor, height_px: int, width_px: int) -> Tensor:
    """Return the picture (B, C, H, W) of tokens; inverse of `pack`."""
    return rearrange(
        tokens_BLD,
        "b (h w) (c p q) -> b c (h p) (w q)",
        h=height_px // PATCH_PX,
        w=width_px // PATCH_PX,
        p=PATCH_PX,
        q=PATCH_PX,
    )


def predict_target(
    base: CompactBase,
    noisy_BCHW: Tensor,
    time_B: Tensor,
    source_BCHW: Tensor,
    instructions: Sequence[Sequence[str]],
) -> Tensor:
    """Return the predicted clean target (B, C, H, W) in log light.

    `time_B` lies in [0, 1]; 1 is pure noise.
    """
    height_px, width_px = source_BCHW.shape[2:]
    words_BTD, pooled_BD = base.word_encoder(instructions)
    (predicted_BLD,) = base.transformer(
        hidden_states=torch.cat([pack(noisy_BCHW), pack(source_BCHW)], dim=-1),
        encoder_hidden_states=words_BTD,
        pooled_projections=pooled_BD,
        timestep=time_B,
        img_ids=_positions(height_px // PATCH_PX, width_px // PATCH_PX).to(source_BCHW.device),
        txt_ids=torch.zeros(words_BTD.shape[1], 3, device=source_BCHW.device),
        return_dict=False,
    )
    patches_BLD, weights_BLD = predicted_BLD.split((_PATCH_CHANNELS, 3 * _NUM_FEATURES), dim=-1)
    features_BFHW = base.pixel_features(source_BCHW)
    detail_BCHW = weighed(weights_BLD, features_BFHW, height_px // PATCH_PX)
    return source_BCHW + unpack(patches_BLD, height_px, width_px) + detail_BCHW


def _positions(num_rows: int, num_columns: int) -> Tensor:
    """Return (L, 3) rotary ids: nothing, row, column."""
    rows, columns = torch.meshgrid(torch.arange(num_rows), torch.arange(num_columns), indexing="ij")
    ids = torch.stack([torch.zeros_like(rows), rows, columns], dim=-1)
    return ids.reshape(-1, 3).float()
