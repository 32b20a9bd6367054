"""A small data set with held-out pairs of every kind, and editors whose errors are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from cat_dataset.compose.basis_pairs import compose_light
from cat_dataset.jobs.manifest import DatasetJob, EvaluateJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import EditScale, LightBasis, Sweep, SweepFrame, UnitResult
from cat_dataset.scoring.editors import Answer, Asked, EditFailure, ScoredEditor
from cat_dataset.scoring.evaluation import EvaluationReport, make_report
from cat_dataset.scoring.protocol import Findings, run_protocol
from cat_dataset.scoring.questions.cases import CaseReader
from cat_dataset.scoring.questions.request_plan import Plan
from cat_dataset.scoring.score_editors import baselines, plan_benchmark
from cat_dataset.scoring.statistics.behaviour import BehaviourScore
from cat_dataset.scoring.statistics.scores import AttributeScore
from cat_dataset.store.linear_files import LINEAR_FOLDER, encode_linear, write_linear_files
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.store.shards import shard_path, write_index, write_shard
from cat_dataset.store.tables import staged_table
from cat_dataset.system.progress import SilentProgress
from cat_dataset.system.seeding import derive_rng
from tests.cat_dataset.conftest import make_light_basis

SIZE_PX = 48
CAMERA = ("exposure", "white_balance")
LIGHT = ("exposure", "white_balance", "light_power", "light_temperature", "ambient_level")
TOGETHER = ("exposure+light_power", "light_power+light_temperature")
F_NUMBERS = (1.4, 2.0, 2.8, 4.0, 5.6, 8.0)
JOB = EvaluateJob(num_sweep_scenes=2, num_sweep_steps=7, num_behaviour_pairs=4,
                  num_combination_pairs=4)  # fmt: skip


def smooth_basis(scene: str) -> LightBasis:
    """Return lamp and sky on a smooth ground, as a well-exposed picture has it."""
    basis = make_light_basis(scene, SIZE_PX)
    images = np.stack([cv2.GaussianBlur(image, (0, 0), 1.5) for image in basis.images_GHW3])
    return replace(basis, images_GHW3=images, split="test", origin={"producer": "render"})


def aperture_sweep(scene: str) -> Sweep:
    """Return frames that are the sharper, the larger their f-number."""
    linear = make_light_basis(scene, SIZE_PX).images_GHW3.sum(axis=0)
    frames = tuple(
        SweepFrame(number, 2.0 * np.log2(number), cv2.GaussianBlur(linear, (0, 0), 4.0 / number))
        for number in F_NUMBERS
    )
    return Sweep(scene, "test", "aperture", frames, origin={"producer": "render"})


def write_kept_data(folder: Path, num_scenes: int = 2) -> PairDataset:
    """Write pairs of light, of one edit and of two, with their light kept beside them."""
    dataset = DatasetJob(name="kept", seed=5)
    plans = {name: PairPlan(num_pairs=3) for name in (*LIGHT, *TOGETHER)}
    (folder / LINEAR_FOLDER).mkdir()
    tables = []
    for number in range(num_scenes):
        basis = replace(smooth_basis(f"scene-{number}"), origin={"producer": "render", "seed": 1})
        for result in (
            compose_light(basis, plans, dataset),
            UnitResult(linear=(encode_linear(basis),)),
        ):
            table = staged_table(result, producer="render", unit_id=basis.scene, origin={})
            if result.linear:
                write_linear_files(folder / LINEAR_FOLDER, table)
            else:
                tables.append(table)
    write_shard(shard_path(folder, 0), tables)
    write_index(folder, [shard_path(folder, 0)])
    return PairDataset([folder], splits=("test",))


def write_scored_data(folder: Path, num_scenes: int = 4) -> PairDataset:
    """Write a finished data set; every scene is held out."""
    dataset = DatasetJob(name="scored", seed=3)
    plans = {name: PairPlan(num_pairs=4) for name in LIGHT}
    plans["aperture"] = PairPlan(num_pairs=20)
    tables = []
    for number in range(num_scenes):
        scene = f"scene-{number}"
        results = [compose_light(light, plans, dataset)
                   for light in (smooth_basis(scene), aperture_sweep(scene))]  # fmt: skip
        pairs = tuple(pair for result in results for pair in result.pairs)
        tables.append(staged_table(UnitResult(pairs), producer="render", unit_id=scene, origin={}))
    write_shard(shard_path(folder, 0), tables)
    write_index(folder, [shard_path(folder, 0)])
    return PairDataset([folder], splits=("test",))


Distort = Callable[[EditScale], Sequence[tuple[str, float]]]


@dataclass(frozen=True)
class DistortedOracle:
    """Knows the truth, and misses it by what `distort` says: what it does for each edit asked."""

    distort: Distort
    name: str = "distorted"
    noise_codes: float = 0.0  # standard deviation, of 255
    late_edits_fade: float = 0.0  # share of an edit that is lost when it is named second

    def answer(self, asked: Sequence[Asked]) -> list[Answer]:
        """Return the true picture of other numbers than those asked for."""
        return [self._edit(item) for item in asked]

    def _edit(self, item: Asked) -> Answer:
        totals: dict[str, float] = {}
        for edit in item.request.before:
            self._add(totals, edit, 1.0)
        for number, edit in enumerate(item.request.edits):
            self._add(totals, edit, 1.0 - (self.late_edits_fade if number else 0.0))
        picture = None if item.truth is None else item.truth.picture(totals)
        if picture is None:
            return EditFailure(f"no true picture of {totals}")
        rng = derive_rng(0, "noise", item.request.key)
        noise = self.noise_codes * rng.normal(size=picture.shape)
        return np.rint((picture + noise).clip(0, 255)).astype(np.uint8)

    def _add(self, totals: dict[str, float], edit: EditScale, strength: float) -> None:
        for name, value in self.distort(edit):
            totals[name] = totals.get(name, 0.0) + strength * value


def exact(edit: EditScale) -> Sequence[tuple[str, float]]:
    """Return what was asked."""
    return [(edit.attribute, edit.value)]


def scored(
    dataset: PairDataset,
    *editors: ScoredEditor,
    attributes: Sequence[str] = LIGHT,
    job: EvaluateJob = JOB,
    with_baselines: bool = False,
) -> tuple[EvaluationReport, Findings, Plan]:
    """Run the protocol without writing anything."""
    plan = plan_benchmark(dataset, job, attributes)
    contestants = [*editors, *(baselines(plan.ranges) if with_baselines else [])]
    findings = run_protocol(CaseReader(dataset), plan, contestants, job, SilentProgress())
    return make_report(findings, plan.ranges, job.split), findings, plan


def report_of(
    dataset: PairDataset, distort: Distort, attributes: Sequence[str] = CAMERA, **settings: float
) -> EvaluationReport:
    """Score an editor whose error is known."""
    return scored(dataset, DistortedOracle(distort, **settings), attributes=attributes)[0]


def score_of(report: EvaluationReport, attribute: str, readout: str) -> AttributeScore:
    """Return one row of the first table."""
    wanted = (attribute, readout, "within")
    (found,) = [s for s in report.scores if (s.attribute, s.readout, s.values) == wanted]
    return found


def behaviour_of(report: EvaluationReport, attribute: str, readout: str) -> BehaviourScore:
    """Return the behaviour of one attribute."""
    wanted = (attribute, readout)
    (found,) = [b for b in report.behaviour if (b.attribute, b.readout) == wanted]
    return found
