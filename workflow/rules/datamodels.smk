# What scores predict of random subsets; `snakemake datamodels --config experiment=datamodels`. Runs nothing else.
rule datamodels:
    log:
        f"results/{EXPERIMENT.folder}/datamodels.log",
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        experiment=EXPERIMENT.name,
        draw=EXPERIMENT.draw,
    script:
        "../scripts/datamodels.py"
