from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files, recorded
    from instruction_selection.selection.page import content, render

    inputs, params = snakemake.input, snakemake.params
    recorded.check(inputs.pool, inputs.sampled)
    recorded.check(inputs.rows, inputs.summary)
    validation = inputs.get("validation", [])
    for rows, sampled in zip(validation, inputs.get("sampled_targets", []), strict=True):
        recorded.check(rows, sampled)
    selection = content.SelectionFiles(
        pool=inputs.pool,
        validation=validation,
        summary=inputs.summary,
        scores=inputs.scores,
        features={**params.features, **(params.checkpoints[-1] if params.checkpoints else {})},
    )
    page = render.render(render.Heading.of(params.heading), content.build(selection))
    files.write_text(snakemake.output.page, page)
