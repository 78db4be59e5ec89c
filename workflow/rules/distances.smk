# What the distance of a selection to its target predicts, from finished results; `snakemake distances --config
# experiment=NAME`. Makes no result of the experiment.
rule measure_distances:
    output:
        measured=f"results/{EXPERIMENT.name}/distances.json",
    log:
        f"results/{EXPERIMENT.name}/measure_distances.log",
    benchmark:
        f"results/{EXPERIMENT.name}/measure_distances.tsv"
    localrule: True
    conda:
        "../../envs/selection.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        experiment=EXPERIMENT.name,
        code=code_of("measure_distances"),
    message:
        "Distances of all selections to their targets"
    script:
        "../scripts/measure_distances.py"


rule distances:
    input:
        measured=rules.measure_distances.output.measured,
    log:
        f"results/{EXPERIMENT.name}/distances.log",
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        experiment=EXPERIMENT.name,
    script:
        "../scripts/distances.py"
