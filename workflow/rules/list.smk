# What an experiment may name; `make list`.
rule list_entries:
    name:
        "list"
    log:
        "results/list.log",
    localrule: True
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/list_entries.py"
