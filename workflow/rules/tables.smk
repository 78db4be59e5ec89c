# `snakemake tables`, and each table of config/tables by its name.
rule tables:
    input:
        WIRING.files_of(list(EXPERIMENT.tables)),
    localrule: True


for table in load.names(CONFIG, Table):

    rule:
        name:
            table
        input:
            lambda wildcards, table=table: named_table(table),
        localrule: True
