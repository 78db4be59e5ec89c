# Selections and nothing after them; `make select EXPERIMENT=NAME`. Ends by naming the files.
rule select:
    input:
        selected=[PATHS.selected.format(**cell) for cell in COMPARED.wildcards()],
        summaries=[PATHS.selection.format(**cell) for cell in COMPARED.wildcards()],
        pages=[PATHS.selection_page.format(**cell) for cell in COMPARED.wildcards()],
        config=PATHS.resolved_config,
    log:
        PATHS.log("select"),
    localrule: True
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/list_selections.py"
