# Selections and nothing after them; `make select EXPERIMENT=NAME`. Ends by naming the files.
rule select:
    input:
        selected=[
            PATHS.selected.format(**cell) for cell in WIRING.compared_selections()
        ],
        summaries=[
            PATHS.selection.format(**cell) for cell in WIRING.compared_selections()
        ],
        pages=[
            PATHS.selection_page.format(**cell)
            for cell in WIRING.compared_selections()
        ],
        config=PATHS.resolved_config,
    log:
        PATHS.log("select"),
    localrule: True
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/list_selections.py"
