"""Pretrained bases: FLUX.1 Kontext and FLUX.2 klein, as their stock diffusers pipelines use them.

Packing, ids, text encoders, VAE, scheduler and guidance are the pipeline's own; here is only what
training needs of a single step: latents of a picture, the codes of a text, and the velocity that
the transformer says. Checkpoints are read from a local folder in the diffusers layout, safetensors
alone; nothing is downloaded.

Shapes: B batch, C channels, h height, w width of latents, L tokens, T text tokens, D width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from cat_dataset.imaging.photometry import srgb_decode

Kind = Literal["kontext", "klein"]
Display = NDArray[np.uint8]
PX_PER_TOKEN = 16  # a side: 8 of the VAE, 2 of packing
_NOISE_SEED = 0


@dataclass(frozen=True)
class TextCodes:
    """What the text encoders say of some texts."""

    tokens_BTD: Tensor
    pooled_BD: Tensor | None = None  # FLUX.2 has none

    def tensors(self) -> dict[str, Tensor]:
        """Return the codes by name, as they are stored."""
        pooled = {} if self.pooled_BD is None else {"pooled": self.pooled_BD}
        return {"tokens": self.tokens_BTD, **pooled}


class LatentBase(Protocol):
    """A stock pipeline, seen one step at a time. Pictures are 8-bit sRGB, sizes multiples of 16."""

    kind: ClassVar[Kind]
    pipeline_name: ClassVar[str]  # in diffusers; importing it takes seconds, so that comes later
    text_folders: ClassVar[tuple[str, ...]]  # what makes the codes of a text
    has_negative_pass: ClassVar[bool]  # the empty text is asked too, by default
    smallest_px: ClassVar[int]

    @property
    def pipeline(self) -> Any:
        """The stock pipeline."""

    def encode(self, pictures_BHW3: Display) -> Tensor:
        """Return the latents (B, C, h, w) that the pipeline makes of source pictures."""

    def decode(self, latents_BChw: Tensor) -> Tensor:
        """Return pictures (B, 3, height, width) in display sRGB, [0, 1], not rounded."""

    def encode_text(self, texts: Sequence[str]) -> TextCodes:
        """Return the codes of texts."""

    def velocity(
        self, noisy_BChw: Tensor, time_B: Tensor, source_BChw: Tensor, text: TextCodes
    ) -> Tensor:
        """Return noise minus target as the transformer sees it (B, C, h, w).

        `time_B` lies in [0, 1]; 1 is pure noise. A guidance embedding gets 1: numbers are
        learned without what guidance adds.
        """

    def generate(self, picture_HW3: Display, text: str) -> NDArray[np.float32]:
        """Return what the stock call makes of a picture (H, W, 3), display sRGB in [0, 1].

        From the same noise for every picture, with the guidance and steps of its documentation.
        """


@dataclass(frozen=True)
class KontextBase:
    """FLUX.1 Kontext: latents packed 2x2, source tokens after the noisy ones with id 1."""

    pipeline: Any

    kind: ClassVar[Kind] = "kontext"
    pipeline_name: ClassVar[str] = "FluxKontextPipeline"
    text_folders: ClassVar[tuple[str, ...]] = (
        *("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"),
    )
    has_negative_pass: ClassVar[bool] = False  # guidance is distilled; true CFG is asked for
    smallest_px: ClassVar[int] = 16
    # Sampling defaults of its model card and documentation.
    guidance_scale: ClassVar[float] = 2.5
    num_steps: ClassVar[int] = 28

    @torch.no_grad()
    def encode(self, pictures_BHW3: Display) -> Tensor:
        """Return normalised latents, 8 pixels a side each; see `LatentBase`."""
        pictures_BCHW = _to_vae(self.pipeline, pictures_BHW3)
        latents: Tensor = self.pipeline._encode_vae_image(pictures_BCHW, None)
        return latents

    @torch.no_grad()
    def decode(self, latents_BChw: Tensor) -> Tensor:
        """Return pictures; see `LatentBase`."""
        config = self.pipeline.vae.config
        return _from_vae(self.pipeline, latents_BChw / config.scaling_factor + config.shift_factor)

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> TextCodes:
        """Return tokens of T5 and the pooled code of CLIP."""
        tokens_BTD, pooled_BD, _ids = self.pipeline.encode_prompt(list(texts))
        return TextCodes(tokens_BTD, pooled_BD)

    def velocity(
        self, noisy_BChw: Tensor, time_B: Tensor, source_BChw: Tensor, text: TextCodes
    ) -> Tensor:
        """Return the velocity; see `LatentBase`. Source: FluxKontextPipeline.__call__."""
        transformer, (height, width) = self.pipeline.transformer, noisy_BChw.shape[2:]
        device, dtype = noisy_BChw.device, transformer.dtype
        both_BLD = torch.cat([self._pack(noisy_BChw), self._pack(source_BChw)], dim=1)
        ids = self.pipeline._prepare_latent_image_ids(1, height // 2, width // 2, device, dtype)
        source_ids = ids.clone()
        source_ids[..., 0] = 1
        guidance_B = torch.ones_like(time_B) if transformer.config.guidance_embeds else None
        assert text.pooled_BD is not None
        (said_BLD,) = transformer(
            hidden_states=both_BLD.to(dtype),
            timestep=time_B,
            guidance=guidance_B,
            pooled_projections=text.pooled_BD.to(dtype),
            encoder_hidden_states=text.tokens_BTD.to(dtype),
            txt_ids=torch.zeros(text.tokens_BTD.shape[1], 3, device=device, dtype=dtype),
            img_ids=torch.cat([ids, source_ids]),
            return_dict=False,
        )
        scale = self.pipeline.vae_scale_factor
        noisy_part_BLD = said_BLD[:, : both_BLD.shape[1] // 2]
        velocity: Tensor = self.pipeline._unpack_latents(
            noisy_part_BLD, height * scale, width * scale, scale
        )
        return velocity

    def generate(self, picture_HW3: Display, text: str) -> NDArray[np.float32]:
        """Return what the stock call makes of a picture, at its own size."""
        height_px, width_px = picture_HW3.shape[:2]
        return _generated(
            self.pipeline,
            picture_HW3,
            text,
            guidance_scale=self.guidance_scale,
            num_inference_steps=self.num_steps,
            max_area=height_px * width_px,
            _auto_resize=False,  # to about a megapixel, whatever was trained
        )

    def _pack(self, latents_BChw: Tensor) -> Tensor:
        packed: Tensor = self.pipeline._pack_latents(latents_BChw, *latents_BChw.shape)
        return packed


@dataclass(frozen=True)
class KleinBase:
    """FLUX.2 klein base: patchified latents, source tokens after the noisy ones at T = 10."""

    pipeline: Any

    kind: ClassVar[Kind] = "klein"
    pipeline_name: ClassVar[str] = "Flux2KleinPipeline"
    text_folders: ClassVar[tuple[str, ...]] = ("text_encoder", "tokenizer")
    has_negative_pass: ClassVar[bool] = True
    smallest_px: ClassVar[int] = 64  # Flux2ImageProcessor.check_image_input
    # Sampling defaults of its documentation, for the base model.
    guidance_scale: ClassVar[float] = 4.0
    num_steps: ClassVar[int] = 50

    @torch.no_grad()
    def encode(self, pictures_BHW3: Display) -> Tensor:
        """Return normalised latents, 16 pixels a side each; see `LatentBase`."""
        pictures_BCHW = _to_vae(self.pipeline, pictures_BHW3)
        latents: Tensor = self.pipeline._encode_vae_image(pictures_BCHW, None)
        return latents

    @torch.no_grad()
    def decode(self, latents_BChw: Tensor) -> Tensor:
        """Return pictures; see `LatentBase`. Source: Flux2KleinPipeline.__call__."""
        vae = self.pipeline.vae
        mean = vae.bn.running_mean.view(1, -1, 1, 1)
        std = torch.sqrt(vae.bn.running_var.view(1, -1, 1, 1) + vae.config.batch_norm_eps)
        latents_BChw = latents_BChw.to(vae.device) * std + mean
        return _from_vae(self.pipeline, self.pipeline._unpatchify_latents(latents_BChw))

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> TextCodes:
        """Return three layers of Qwen3 beside each other."""
        tokens_BTD, _ids = self.pipeline.encode_prompt(list(texts))
        return TextCodes(tokens_BTD)

    def velocity(
        self, noisy_BChw: Tensor, time_B: Tensor, source_BChw: Tensor, text: TextCodes
    ) -> Tensor:
        """Return the velocity; see `LatentBase`. Source: Flux2KleinPipeline.__call__."""
        pipeline, transformer = self.pipeline, self.pipeline.transformer
        device, dtype = noisy_BChw.device, transformer.dtype
        packed = [pipeline._pack_latents(latents) for latents in (noisy_BChw, source_BChw)]
        ids = pipeline._prepare_latent_ids(noisy_BChw[:1]).to(device)
        source_ids = pipeline._prepare_image_ids([source_BChw[:1]]).to(device)
        (said_BLD,) = transformer(
            hidden_states=torch.cat(packed, dim=1).to(dtype),
            timestep=time_B,
            guidance=None,
            encoder_hidden_states=text.tokens_BTD.to(dtype),
            txt_ids=pipeline._prepare_text_ids(text.tokens_BTD[:1]).to(device),
            img_ids=torch.cat([ids, source_ids], dim=1),
            return_dict=False,
        )
        noisy_part_BLD = said_BLD[:, : packed[0].shape[1]]
        velocity: Tensor = noisy_part_BLD.permute(0, 2, 1).reshape(noisy_BChw.shape)
        return velocity

    def generate(self, picture_HW3: Display, text: str) -> NDArray[np.float32]:
        """Return what the stock call makes of a picture, at its own size."""
        return _generated(
            self.pipeline,
            picture_HW3,
            text,
            guidance_scale=self.guidance_scale,
            num_inference_steps=self.num_steps,
        )


LATENT_BASES: Mapping[str, type[KontextBase] | type[KleinBase]] = MappingProxyType(
    {"kontext": KontextBase, "klein": KleinBase}
)


def transformer_of(base: LatentBase) -> nn.Module:
    """Return the network that an adapter steers."""
    transformer: nn.Module = base.pipeline.transformer
    return transformer


def display_to_linear(display_BCHW: Tensor) -> NDArray[np.float32]:
    """Return scene-linear light (B, H, W, 3) of display sRGB in [0, 1]."""
    codes_BHW3 = display_BCHW.float().permute(0, 2, 3, 1).cpu().numpy()
    return srgb_decode(codes_BHW3).astype(np.float32)


def _to_vae(pipeline: Any, pictures_BHW3: Display) -> Tensor:
    """Return 8-bit pictures in [-1, 1] as `VaeImageProcessor.preprocess` does."""
    pictures = torch.from_numpy(np.ascontiguousarray(pictures_BHW3)).permute(0, 3, 1, 2)
    return (2.0 * (pictures.float() / 255.0) - 1.0).to(pipeline.vae.device, pipeline.vae.dtype)


def _from_vae(pipeline: Any, latents_BChw: Tensor) -> Tensor:
    latents_BChw = latents_BChw.to(pipeline.vae.device, pipeline.vae.dtype)
    pictures_BCHW: Tensor = pipeline.vae.decode(latents_BChw, return_dict=False)[0]
    return (pictures_BCHW.float() / 2.0 + 0.5).clamp(0.0, 1.0)


def _generated(
    pipeline: Any, picture_HW3: Display, text: str, **settings: Any
) -> NDArray[np.float32]:
    height_px, width_px = picture_HW3.shape[:2]
    result = pipeline(
        image=Image.fromarray(picture_HW3),
        prompt=text,
        height=height_px,
        width=width_px,
        generator=torch.Generator().manual_seed(_NOISE_SEED),
        output_type="np",
        **settings,
    )
    return np.asarray(result.images[0], np.float32)
