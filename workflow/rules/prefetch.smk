# Public files come into one folder, and everything else reads from there with hubs switched off. Where a network is
# only on some machines, `snakemake prefetch` on one of them does this part of the work; otherwise it is done on the way.
localrules:
    fetch,


onstart:
    reject_read_only_results()
    reject_gated_sources()
    warn_of_missing_gpus()
    reject_what_does_not_fit()


rule fetch:
    input:
        own=own_files,
    output:
        manifest=MANIFEST,
    log:
        f"{HUB}/logs/{{kind}}/{{entry}}.log",
    benchmark:
        f"{HUB}/benchmarks/{{kind}}/{{entry}}.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=600,
    params:
        settings=lambda wildcards: WIRING.fetched_sources(
            wildcards.kind, wildcards.entry
        ),
    message:
        "Fetching {wildcards.kind} {wildcards.entry}"
    script:
        "../scripts/fetch.py"


rule prefetch:
    input:
        WIRING.public_files(),
    localrule: True
