# Each table over the draws that have finished it; `snakemake draws --config experiment=study`. Runs nothing else.
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


# What larger experiments could show, from the finished results of this one; `make power EXPERIMENT=NAME`.
rule power:
    log:
        f"results/{EXPERIMENT.name}/power.log",
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        experiment=EXPERIMENT.name,
    script:
        "../scripts/power.py"
