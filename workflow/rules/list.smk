# What an experiment may name; `make list`.
rule list_entries:
    name:
        "list"
    localrule: True
    script:
        "../scripts/list_entries.py"
