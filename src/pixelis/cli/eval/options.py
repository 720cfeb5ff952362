"""The options of `pixelis eval`, and which of them go together."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pixelis.cli.model import add_model, chosen, shown
from pixelis.cli.parser import at_least
from pixelis.errors import ConfigError

if TYPE_CHECKING:
    from pixelis.evals.question import Benchmark

OWN = ("worlds", "jsonl")
# As in pixelis.evals.benchmarks, which takes too long to import for --help.
PUBLISHED = (
    *("vstar", "hrbench4k", "hrbench8k", "tallyqa", "infographicsvqa", "mvbench", "mmmu", "mmvet"),
    *("mathvista", "virl39k", "reasonrft-counting", "reasonrft-geometry", "reasonrft-transform"),
)
TAKING = {"compare": 2, "page": None, "freeze": None, "ops": 0}  # how many words each takes
CONTROLS = ("none", "no_ops", "random_crop", "oracle")
TWIN = "twin"
TWINS = {"nano": "nano-direct"}
ALL = "all"
SPLIT = "test"


class Cell(NamedTuple):
    """One run of a table.

    Attributes:
        label: its row.
        control: one of CONTROLS or `twin`.
        model: who answers.
        spoil: `noise:2`, empty for the pictures as they are.
    """

    label: str
    control: str
    model: str
    spoil: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything; what belongs to one benchmark only is said in its help."""
    parser.add_argument(
        "benchmark",
        metavar="WHAT",
        choices=(*OWN, *PUBLISHED, *TAKING),
        help="worlds: procedural questions, always available; jsonl: your own, with --data; a "
        f"published benchmark, with --data: {', '.join(PUBLISHED)}; ops: the operations "
        "themselves; compare A B: two runs over the same questions; freeze: write down the hashes "
        "of exams and models; page FILE...: the page of published results",
    )
    parser.add_argument("words", metavar="FILE", nargs="*", help="of compare, freeze and page")
    add_model(parser)
    _add_questions(parser)
    _add_conditions(parser)
    parser.add_argument(
        "--out", metavar="DIR", help="keep results and reports here; a killed run goes on from it"
    )
    parser.add_argument(
        "--traces",
        metavar="N",
        type=at_least(0),
        default=8,
        help="with --out: write the traces of the N worst answers (default: 8)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _add_questions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("questions")
    group.add_argument("--data", metavar="PATH", help="a JSONL file, or a benchmark's folder")
    group.add_argument(
        "--media", metavar="DIR", action="append", help="look for pictures and videos here first"
    )
    group.add_argument(
        "--skip-broken", action="store_true", help="leave out records that cannot be used"
    )
    group.add_argument(
        "--source", metavar="NAME", help="ops: what --data is (coco or mot17; default: worlds)"
    )
    group.add_argument(
        "--split",
        choices=("test", "shift", "calibration"),
        default=SPLIT,
        help="worlds like those of training, kept out of it, or kept for calibrating "
        "(default: test)",
    )
    group.add_argument(
        "--families", metavar="A,B", help="only these families of worlds (default: all)"
    )
    group.add_argument("--limit", metavar="N", type=at_least(1), help="only the first N questions")
    group.add_argument(
        "--seed",
        metavar="N",
        type=at_least(0),
        help="draw fresh worlds from this seed (default: the frozen exam)",
    )
    group.add_argument("--again", action="store_true", help="freeze: replace what is frozen")


def _add_conditions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("conditions")
    group.add_argument(
        "--control",
        choices=CONTROLS,
        default="none",
        help="the same questions without operations, with randomly placed ones, or with the "
        "truth choosing them (default: none)",
    )
    group.add_argument(
        "--controls",
        metavar="A,B",
        help="several controls in one table, or all; twin is the model trained without operations",
    )
    group.add_argument(
        "--twin", metavar="MODEL", help="the twin of --model (default: nano-direct for nano)"
    )
    group.add_argument(
        "--spoil", metavar="KIND:LEVEL", help="noise, blur, jpeg, occlusion or dark, 1 to 3; or all"
    )
    group.add_argument(
        "--temperature", metavar="T", type=float, default=0.0, help="of sampling (default: 0)"
    )
    group.add_argument(
        "--seeds", metavar="A,B,C", help="sample each question under these (with --temperature)"
    )
    group.add_argument(
        "--time-limit", metavar="S", type=at_least(1), help="most seconds for one question"
    )
    group.add_argument(
        "--judge", metavar="MODEL", help="who grades free answers (mmvet): openai:BASE_URL#MODEL"
    )


# Options that mean something to some of these only; the others would pass over them in silence.
BELONGS: dict[str, tuple[str, ...]] = {
    "again": ("freeze",),
    "skip_broken": PUBLISHED,
    "media": (*PUBLISHED, "ops"),
    "split": ("worlds", "ops"),
    "limit": (*OWN, *PUBLISHED, "ops"),
    "controls": (*OWN, *PUBLISHED),
    "spoil": (*OWN, *PUBLISHED),
    "seeds": (*OWN, *PUBLISHED),
    "time_limit": (*OWN, *PUBLISHED),
}


def _belongs(args: argparse.Namespace) -> None:
    for name, places in BELONGS.items():
        given = getattr(args, name) not in (None, False, SPLIT)
        if given and args.benchmark not in places:
            told = "a published benchmark" if places == PUBLISHED else ", ".join(places[:3])
            word = name.replace("_", "-")
            raise ConfigError(f"--{word} belongs to eval {told}; leave it out of {args.benchmark}")


def check(args: argparse.Namespace) -> None:
    """ConfigError for options that do not go together, before anything is loaded."""
    _belongs(args)
    if not 0 <= args.temperature < math.inf:
        raise ConfigError(f"--temperature {args.temperature:g}: 0 (greedy) or more is needed")
    taken = TAKING.get(args.benchmark, 0)
    if taken is not None and len(args.words) != taken:
        told = f"takes {taken} files" if taken else "takes no further words"
        raise ConfigError(f"eval {args.benchmark} {told}; came {len(args.words)}")
    if args.seeds is not None and args.temperature <= 0:
        raise ConfigError(
            "--seeds needs --temperature T above 0: greedy answers do not depend on the seed; for "
            "other questions give --seed"
        )
    if args.controls is not None and args.control != "none":
        raise ConfigError("--control and --controls were both given; give one")
    if args.judge and args.benchmark != "mmvet":
        raise ConfigError(f"--judge belongs to mmvet; {args.benchmark} is scored by rule")
    if args.source and args.benchmark != "ops":
        raise ConfigError("--source belongs to 'eval ops'; leave it out")
    seeds(args)


def seeds(args: argparse.Namespace) -> list[int]:
    """Of the agent; one unless `--seeds` names several."""
    if args.seeds is None:
        return [args.seed or 0]
    parts = [part.strip() for part in args.seeds.split(",")]
    if not all(part.isdigit() for part in parts) or len(set(parts)) < len(parts):
        raise ConfigError(f"--seeds {args.seeds!r}: different whole numbers are needed, as 0,1,2")
    return [int(part) for part in parts]


def cells(args: argparse.Namespace) -> list[Cell]:
    """The runs that were asked for: one, or the rows of a table."""
    names = _controls(args)
    spoils = _spoils(args)
    found = []
    for control in names:
        model = _twin(args) if control == TWIN else args.model
        for spoil in spoils:
            label = f"{control}-{spoil.replace(':', '-')}" if spoil else control
            found.append(Cell(label, control, "oracle" if control == "oracle" else model, spoil))
    return found


def _controls(args: argparse.Namespace) -> list[str]:
    if args.controls is None:
        names = [args.control]
    elif args.controls == ALL:
        names = ["none", "no_ops", "random_crop"]
        names += [TWIN] if args.twin or args.model in TWINS else []
        names += ["oracle"] if args.benchmark == "worlds" else []
    else:
        names = [name.strip() for name in args.controls.split(",")]
    if args.twin and TWIN not in names:
        raise ConfigError("--twin answers in a table only; add --controls none,twin")
    for name in names:
        if name not in (*CONTROLS, TWIN):
            raise ConfigError(f"control {name!r} is not known; give {', '.join(CONTROLS)}, twin")
        if name == "oracle" and args.benchmark != "worlds":
            raise ConfigError(
                "control oracle needs the truth behind a question, which a file of questions does "
                "not have; use it with 'pixelis eval worlds'"
            )
    return list(dict.fromkeys(names))


def _twin(args: argparse.Namespace) -> str:
    twin = args.twin or TWINS.get(args.model)
    if twin is None:
        raise ConfigError(f"the twin of {args.model} is not known; name it with --twin MODEL")
    return twin


def _spoils(args: argparse.Namespace) -> list[str]:
    if args.spoil is None:
        return [""]
    from pixelis.evals.spoil import KINDS, LEVELS, read_spoil

    if args.spoil == ALL:
        return ["", *(f"{kind}:{level}" for kind in KINDS for level in LEVELS)]
    read_spoil(args.spoil)
    return [args.spoil]


def benchmark(args: argparse.Namespace, work: Path) -> Benchmark:
    """The questions.

    Args:
        work: folder for pictures taken out of tables and clips that are cut.
    """
    if args.benchmark == "worlds":
        if args.data:
            raise ConfigError("--data belongs to the other benchmarks; worlds draw their questions")
        from pixelis.evals.worlds import read_worlds

        families = [name.strip() for name in (args.families or "").split(",") if name.strip()]
        return read_worlds(args.split, args.seed, args.limit, tuple(families) or None)
    for name in ("families", "seed"):
        if getattr(args, name) is not None:
            told = f"leave it out with {args.benchmark}"
            raise ConfigError(f"--{name} belongs to 'eval worlds'; {told}")
    if args.benchmark == "jsonl":
        if not args.data:
            raise ConfigError("eval jsonl needs --data FILE, your questions as JSONL")
        from pixelis.evals.jsonl import read_jsonl

        return read_jsonl(Path(args.data), args.limit)
    from pixelis.evals.benchmarks import read_published

    path = Path(args.data) if args.data else None
    media = tuple(map(Path, args.media or ()))
    return read_published(args.benchmark, path, work, args.limit, args.skip_broken, media)


def settings(args: argparse.Namespace, cell: Cell, seed: int) -> dict[str, Any]:
    """What a run's answers depend on besides the questions; a folder holds one combination."""
    from pixelis.evals.provenance import weights_hash

    found: dict[str, Any] = {"model": shown(cell.model), "control": cell.control}
    if cell.control != "oracle":
        found |= {"model_hash": weights_hash(cell.model), **chosen(args)}
    if args.temperature > 0:
        found |= {"temperature": args.temperature, "sampling_seed": seed}
    return found | ({"judge": shown(args.judge)} if args.judge else {})
