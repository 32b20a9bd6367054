"""The codes of instructions, by the text itself; the text encoders run once for each.

Texts are few: they name attributes and never numbers.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from train.pretrained.caches import TensorCache
from train.pretrained.pipelines import LatentBase, TextCodes

TEMPLATE = "1"  # to be raised whenever the pipeline is asked otherwise for the codes of a text


def fill_texts(cache: TensorCache, base: LatentBase, texts: Iterable[str]) -> int:
    """Encode the texts that the cache lacks, one at a time, and return how many those were."""
    missing = [text for text in sorted(set(texts)) if not cache.has(_name(text))]
    for text in missing:
        cache.write(_name(text), {"text": text}, base.encode_text([text]).tensors())
    return len(missing)


def has_texts(cache: TensorCache, texts: Iterable[str]) -> bool:
    """Return whether the cache lacks nothing, so that no text encoder is needed."""
    return all(cache.has(_name(text)) for text in texts)


@dataclass(frozen=True)
class TextBook:
    """The codes of all texts of a run, in memory."""

    codes: dict[str, TextCodes]

    @classmethod
    def read(cls, cache: TensorCache, texts: Iterable[str], device: torch.device) -> "TextBook":
        """Return the codes of texts from a cache.

        Raises:
            JobError: an entry is broken, or is that of another text.
        """
        codes = {}
        for text in sorted(set(texts)):
            tensors = {
                name: tensor.to(device)
                for name, tensor in cache.read(_name(text), {"text": text}).items()
            }
            codes[text] = TextCodes(tensors["tokens"], tensors.get("pooled"))
        return cls(codes)

    def of(self, texts: Sequence[str]) -> TextCodes:
        """Return the codes of the texts of a batch."""
        found = [self.codes[text] for text in texts]
        pooled = [codes.pooled_BD for codes in found if codes.pooled_BD is not None]
        return TextCodes(
            torch.cat([codes.tokens_BTD for codes in found]), torch.cat(pooled) if pooled else None
        )


def _name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
