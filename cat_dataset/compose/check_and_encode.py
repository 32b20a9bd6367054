"""From a candidate to a pair: check, measure, encode, in this order and nowhere else."""

from dataclasses import dataclass
from functools import cached_property

from cat_dataset.compose import quality_checks
from cat_dataset.compose.pair_candidate import PairCandidate
from cat_dataset.imaging.colour_difference import visible_delta_e
from cat_dataset.imaging.display import COLOUR_SPACE
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.light.readout import READABLE, readable_mask
from cat_dataset.records import Develop, EditScale, Pair
from cat_dataset.requests.instructions import phrase_edits
from cat_dataset.system.seeding import derive_rng


@dataclass(frozen=True)
class ValidPair:
    """A candidate that passed every check, with its edits as measured."""

    candidate: PairCandidate
    edits: tuple[EditScale, ...]
    seed: int  # of the data set

    @cached_property
    def instruction(self) -> str:
        """The edits in English."""
        return phrase_edits(self.edits, derive_rng(self.seed, "phrase", self.candidate.key))

    @cached_property
    def develop(self) -> Develop:
        """How the light became pictures."""
        source, target = self.candidate.source, self.candidate.target
        clipped = (source.clip_fraction, target.clip_fraction)
        return Develop(source.anchor, source.tone_curve, COLOUR_SPACE, *clipped)


def check_and_encode(candidate: PairCandidate, dataset: DatasetJob) -> Pair:
    """Return the pair of a candidate, measured and encoded once.

    Raises:
        EditScaleError: a check rejects it, or an edit cannot be measured.
    """
    valid = validate(candidate, dataset)
    light, source, target = candidate.light, candidate.source, candidate.target
    edits = candidate.with_light_ratios(valid.edits)
    mean, p95 = visible_delta_e(source.codes, target.codes, candidate.edited_mask)
    encoded = {
        which: picture.encoded(dataset.annotations, candidate.edited_area)
        for which, picture in (("source", source), ("target", target))
    }
    return Pair(
        key=candidate.key,
        split=light.split,
        scene=light.scene,
        instruction=valid.instruction,
        edits=edits,
        source_png=encoded["source"].png,
        target_png=encoded["target"].png,
        develop=valid.develop,
        visible_delta_e_mean=mean,
        visible_delta_e_p95=p95,
        origin=candidate.origin,
        view=light.view,
        source_frame=candidate.frames[0],
        target_frame=candidate.frames[1],
        annotations={
            f"{which}.{name}": data
            for which, picture in encoded.items()
            for name, data in picture.annotations.items()
        },
    )


def validate(
    candidate: PairCandidate, dataset: DatasetJob, *, is_measured: bool = True
) -> ValidPair:
    """Check and measure a candidate without encoding it.

    Without `is_measured` the edits stay as they were set wherever measuring them could change
    nothing else; the same candidates pass.

    Raises:
        EditScaleError: a check rejects it, or an edit cannot be measured.
    """
    source, target = candidate.source, candidate.target
    low, high = (level / source.anchor for level in READABLE)
    readable_HW = readable_mask(source.linear_HW3, target.linear_HW3, low, high)
    quality_checks.check_readable(readable_HW)
    edits, (before, after) = candidate.edits, candidate.shown
    if is_measured or not candidate.is_within_rounding(readable_HW):
        edits = candidate.measured(readable_HW)
    quality_checks.check_edits(edits)
    if candidate.edited_area == "object":
        subject = edits[0].subject or "main object"
        for annotation in (before.annotation, after.annotation):
            if annotation is not None:
                quality_checks.check_in_view(annotation, subject)
    quality_checks.check_visible(before.codes, after.codes, candidate.edited_mask)
    if candidate.noise_HW is not None:
        quality_checks.check_above_noise(before.codes, after.codes, candidate.noise_HW)
    quality_checks.check_moving(source.moving_HW | target.moving_HW, dataset.annotations)
    return ValidPair(candidate, edits, dataset.seed)
