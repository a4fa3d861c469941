# What the rules share: the checked config, the models it asks for, digests of code, closing words.
import sys

sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))

from facesort.settings import code_digest, config_errors, error_lines, model_settings
from snakemake.exceptions import WorkflowError

if wrong := config_errors(config):
    raise WorkflowError("the config is not right:\n" + "\n".join(f"  {line}" for line in wrong))


CLUSTERED = ["stacked", "convolutional"]
CLASSIFIERS = ["semi_supervised", "supervised"]
AUTOENCODERS = ["stacked", "convolutional", "semi_supervised"]
MODELS = [model for model in CLUSTERED + CLASSIFIERS if config["models"].get(model)]
DEMO = config["data"]["fec_csv"] is None


wildcard_constraints:
    variant="|".join(["rgb", "grayscale", "cropped"]),
    model="|".join(CLUSTERED + CLASSIFIERS),
    seed=r"\d+",


def cells(**fixed):
    """The wildcards of every cell of the table, those of one model first."""
    return [
        dict(variant=variant, model=model, seed=seed)
        for model in fixed.get("models", MODELS)
        for variant in config["variants"]
        for seed in config["seeds"]
    ]


def closing_words():
    """Where the results lie."""
    folder = Path("results").resolve()
    return "\n".join(
        [
            "",
            Path("results/table1.md").read_text(encoding="utf-8"),
            f"Table:    {folder}/table1.csv, and to read: {folder}/table1.md",
            f"Pictures: {folder}/figures/ and {folder}/<variant>/<model>/seed<n>/figures/",
        ]
    )
