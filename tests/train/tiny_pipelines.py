"""FLUX.1 Kontext and FLUX.2 klein in miniature: random weights, real classes, nothing downloaded.

Written with `save_pretrained`, so a folder has the layout of the published checkpoints.
"""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    DiffusionPipeline,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    FluxKontextPipeline,
    FluxTransformer2DModel,
)
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5EncoderModel,
)

_WORDS = (
    *("<pad>", "</s>", "<unk>", "user", "assistant", "change", "only", "the", "keep", "picture"),
    *("exposure", "white", "balance", "and", "light", "power", "everything", "else", "it", "as"),
    *("is", ".", ";", ",", ":", "main", "object", "rotation", "by", "raise", "lower", "stops"),
)
_CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] + ' : ' + message['content'] + ' . ' }}"
    "{% endfor %}{% if add_generation_prompt %}assistant :{% endif %}"
)
_VAE_BLOCKS = ("DownEncoderBlock2D",) * 4, ("UpDecoderBlock2D",) * 4
# what the published schedulers say (FLUX.1-Kontext-dev and FLUX.2-klein-base-4B)
_SCHEDULER = {
    "use_dynamic_shifting": True,
    "shift": 3.0,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
}


def write_kontext(folder: Path, *, seed: int = 0) -> Path:
    """Write a FluxKontextPipeline with random weights and return its folder."""
    torch.manual_seed(seed)
    vae = AutoencoderKL(
        down_block_types=_VAE_BLOCKS[0],
        up_block_types=_VAE_BLOCKS[1],
        block_out_channels=(4, 4, 4, 4),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=2,
        use_quant_conv=False,
        use_post_quant_conv=False,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        mid_block_add_attention=False,
    )
    clip = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(_WORDS),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=77,
            projection_dim=16,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )
    t5 = T5EncoderModel(
        T5Config(vocab_size=len(_WORDS), d_model=32, d_kv=16, d_ff=16, num_layers=1, num_heads=2)
    )
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=16,
        guidance_embeds=True,
        axes_dims_rope=(4, 4, 8),
    )
    pipeline = FluxKontextPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(**_SCHEDULER),
        vae=vae,
        text_encoder=clip,
        # CLIP pads with its end token and pools where the first one stands
        tokenizer=_word_tokenizer(model_max_length=77, pad_token="</s>"),
        text_encoder_2=t5,
        tokenizer_2=_word_tokenizer(model_max_length=512),
        transformer=transformer,
    )
    return _saved(pipeline, folder)


def write_klein(folder: Path, *, seed: int = 0) -> Path:
    """Write a Flux2KleinPipeline with random weights and return its folder."""
    torch.manual_seed(seed)
    vae = AutoencoderKLFlux2(
        down_block_types=_VAE_BLOCKS[0],
        up_block_types=_VAE_BLOCKS[1],
        block_out_channels=(4, 4, 4, 4),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=2,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
    )
    vae.bn.running_mean.uniform_(-0.2, 0.2)
    vae.bn.running_var.uniform_(0.5, 1.5)
    qwen = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(_WORDS),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=28,  # klein reads layers 9, 18 and 27
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=8,
            tie_word_embeddings=True,
        )
    )
    transformer = Flux2Transformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=48,
        timestep_guidance_channels=256,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    tokenizer = _word_tokenizer(model_max_length=512)
    tokenizer.chat_template = _CHAT_TEMPLATE
    pipeline = Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(**_SCHEDULER),
        vae=vae,
        text_encoder=qwen,
        tokenizer=tokenizer,
        transformer=transformer,
    )
    return _saved(pipeline, folder)


def _word_tokenizer(model_max_length: int, pad_token: str = "<pad>") -> PreTrainedTokenizerFast:
    """Return a tokenizer of whole words in a closed vocabulary."""
    vocabulary = {word: number for number, word in enumerate(_WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=pad_token,
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=model_max_length,
    )


def _saved(pipeline: DiffusionPipeline, folder: Path) -> Path:
    pipeline.save_pretrained(folder)
    return folder
