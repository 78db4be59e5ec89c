# What the experiment will cost; `make estimate EXPERIMENT=NAME`. Runs nothing else.
AT_HAND = workflow.resource_settings.resources


rule estimate:
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
