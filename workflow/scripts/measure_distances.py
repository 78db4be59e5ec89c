from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from dataclasses import asdict

    from instruction_selection.core import files, recorded
    from instruction_selection.experiment import finished, representations
    from instruction_selection.experiment.folders import Folders
    from instruction_selection.experiment.wiring import Wiring
    from instruction_selection.selection import distances
    from instruction_selection.selection.examples import Examples
    from instruction_selection.selection.job import checkpoint_files

    found = []
    for experiment in finished.runs(Folders.of_run(), snakemake.params.experiment):
        for case in representations.cases(Wiring(experiment)):
            for rows, summary in {case.pool_rows, *case.validation, *case.selections.values()}:
                recorded.check(rows, summary)
            pool = Examples.read(case.pool_rows[0])
            validation = [Examples.read(rows) for rows, _ in case.validation]
            # Seeds and targets may share a selection.
            chosen = {rows: distances.places(rows, pool) for rows, _ in case.selections.values()}
            lengths = {rows: float(pool.response_lengths[places].mean()) for rows, places in chosen.items()}
            for each in case.representations:
                [checkpoint] = checkpoint_files([each.features], each.checkpoints)
                made_with = {**each.made_with, **checkpoint.made_with}
                measured = distances.measure(pool, validation, each.features, made_with, list(chosen.values()))
                by_rows = dict(zip(chosen, measured, strict=True))
                cell = {"draw": experiment.draw, "model": case.model, "pool": case.pool, "target": case.target}
                for (method, ratio, seed), (rows, _) in case.selections.items():
                    if distance := by_rows[rows]:
                        named = {**cell, "method": method, "ratio": ratio, "seed": seed, "representation": each.name}
                        found.append({**named, **asdict(distance), "response_length": lengths[rows]})
    files.write_json(snakemake.output.measured, {"distances": found})
