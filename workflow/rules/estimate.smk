# What the experiment will cost; `make estimate EXPERIMENT=NAME`. Runs none of its jobs.
import subprocess
import sys

from instruction_selection.cost import card, memory

AT_HAND = workflow.resource_settings.resources


def predict_memory_now():
    """Run `predict_memory` alone, in its environment, before the run that waits for it.

    It is not an input of the jobs that need it: Snakemake would plan all of them again when a card is named.
    """
    deployment = workflow.deployment_settings
    options = {
        "--conda-prefix": deployment.conda_prefix,
        "--apptainer-prefix": deployment.apptainer_prefix,
        "--apptainer-args": deployment.apptainer_args,
    }
    methods = [method.item_to_choice() for method in deployment.deployment_method]
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", workflow.main_snakefile),
        *("--config", *(f"{key}={value}" for key, value in config.items())),
        *(["--sdm", *methods] if methods else []),
        *(f"{name}={value}" for name, value in options.items() if value),
        # This run holds the lock, and says itself what a user has to know.
        *("--cores", "1", "--nolock", "--no-hooks", "--quiet", "all"),
        *("--", PATHS.predicted_memory),
    ]
    print(
        f"Predicting the GPU memory of jobs, for a card of {GPUS.card} GB ...",
        file=sys.stderr,
    )
    if subprocess.run(command).returncode:
        raise WorkflowError(
            "The GPU memory of jobs could not be predicted, which gpus.card asks for."
        )


def reject_what_does_not_fit():
    """Of the jobs that are planned, where the experiment names a card."""
    if not GPUS.card:
        return
    planned = [
        (job.rule.name, dict(job.wildcards.items()))
        for job in workflow.dag.needrun_jobs()
    ]
    if on_gpus := card.jobs_on_gpus(EXPERIMENT, planned):
        predict_memory_now()
        try:
            card.reject(EXPERIMENT, PATHS.predicted_memory, on_gpus)
        except InputError as error:
            raise WorkflowError(str(error)) from None


rule predict_memory:
    output:
        predicted=PATHS.predicted_memory,
    log:
        PATHS.log("predict_memory"),
    benchmark:
        PATHS.benchmark("predict_memory")
    localrule: True
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(3000),
        runtime=15,
    params:
        settings=lambda wildcards: memory.questions(EXPERIMENT),
        code=code_of("predict_memory"),
    message:
        "Predicting the GPU memory of all jobs"
    script:
        "../scripts/predict_memory.py"


rule estimate:
    input:
        memory=PATHS.predicted_memory,
    log:
        "results/estimate.log",
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        experiment=EXPERIMENT.resolved(),
        cores=workflow.resource_settings.cores,
        gpus=AT_HAND["gpu"].value if "gpu" in AT_HAND else None,
    script:
        "../scripts/estimate.py"
