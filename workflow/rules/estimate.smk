# What the experiment will cost; `make estimate EXPERIMENT=NAME`. Runs none of its jobs.
from instruction_selection.cost import memory

AT_HAND = workflow.resource_settings.resources


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
