# One table over the draws that are finished; `snakemake draws --config experiment=study`. Runs nothing else.
rule draws:
    log:
        f"results/{EXPERIMENT.name}/draws.log",
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        experiment=EXPERIMENT.name,
    script:
        "../scripts/draws.py"
