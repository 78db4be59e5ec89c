"""A method in another language is one rule file, one config file and its name in the experiment."""

import json

METHOD = """\
label: Longest
summary: The rows with the longest responses, by awk.
reference: An example.
"""

RULE = '''\
rule select_longest:
    input:
        pool=PATHS.pool,
    output:
        rows=PATHS.selected.replace("{method}", "longest"),
        summary=PATHS.selection.replace("{method}", "longest"),
    shell:
        """
        budget=$(awk 'END {{ print int(NR * {wildcards.ratio}) }}' {input.pool})
        awk '{{ print length($0) "\\t" $0 }}' {input.pool} | sort -rn | cut -f 2- \\
            | sed -n "1,${{budget}}p" > {output.rows}
        printf '{{"method": "longest", "selected": %d, "tasks": {{}}}}\\n' $budget > {output.summary}
        """
'''


def test_method_rule__selects_for_its_method_and_changes_nothing_else(copy):
    (copy.path / "config/methods/longest.yaml").write_text(METHOD)
    rules = copy.path / "workflow/rules/methods"
    rules.mkdir(exist_ok=True)
    (rules / "longest.smk").write_text(RULE)
    copy.edit("config/experiments/smoke.yaml", "methods: [base,", "methods: [longest, base,")
    planned = copy.planned()
    assert planned["select_longest"] == 1
    assert "select_rows" not in planned
    # It depends on neither model nor target, so it selects and trains once.
    assert planned["finetune"] == 1
    assert planned["evaluate"] == 2

    run = "results/smoke/runs/any/reasoning/any/longest/0.1/seed0"
    result = copy.snakemake("--", f"{run}/selected.jsonl")
    assert result.returncode == 0, result.stdout + result.stderr
    chosen = [json.loads(line) for line in (copy.path / run / "selected.jsonl").open()]
    pool = [json.loads(line) for line in (copy.path / "results/smoke/pools/reasoning/pool.jsonl").open()]
    assert len(chosen) == len(pool) // 10
    assert all(row in pool for row in chosen)
    assert json.loads((copy.path / run / "selection.json").read_text())["selected"] == len(chosen)

    assert "select_longest" not in copy.planned()
    copy.edit("workflow/rules/methods/longest.smk", "sort -rn", "sort -n")
    assert copy.planned()["select_longest"] == 1


def test_method__with_neither_module_nor_rule_is_rejected(copy):
    (copy.path / "config/methods/longest.yaml").write_text(METHOD)
    copy.edit("config/experiments/smoke.yaml", "methods: [base,", "methods: [longest, base,")
    result = copy.snakemake("--dry-run")
    assert result.returncode != 0
    assert "method 'longest' has no implementation" in result.stdout + result.stderr
