from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import os

    # This is the one job that may use a network; huggingface_hub reads this when it is imported.
    os.environ.pop("HF_HUB_OFFLINE", None)

    from instruction_selection.data import hub

    hub.fetch(snakemake.params.settings, snakemake.output.manifest, hub.mirror_folder())
