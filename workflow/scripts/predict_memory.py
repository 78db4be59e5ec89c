from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import functools

    from instruction_selection.core import files
    from instruction_selection.core.errors import InputError
    from instruction_selection.evaluation import memory as evaluation
    from instruction_selection.features import memory as features
    from instruction_selection.features.gradients import memory as gradients
    from instruction_selection.models import skeleton
    from instruction_selection.training import memory as training

    def of_training(config, job, cutoff_len):
        try:
            return training.peak(config, job["arguments"], cutoff_len, job["processes"], job["deepspeed"])
        except InputError as error:
            if error.code != "other-zero-stage":
                raise
            print(error)

    predicted = {}
    for name, model in snakemake.params.settings.items():
        config = skeleton.configuration(model["architecture"], model["parameters"], f"config/models/{name}.yaml")
        cutoff_len, trainings = model["cutoff_len"], model["trainings"]
        warmed_up = training.adapter(trainings["warmup"]["arguments"])
        adapter = training.adapter(trainings["finetune"]["arguments"])
        in_batches = {
            "gradients": functools.partial(
                gradients.worst_peak, config, warmed_up, cutoff_len=cutoff_len, **model["gradients"]
            )
        }
        if model["losses"]:
            in_batches["losses"] = functools.partial(
                features.of_losses, config, cutoff_len=cutoff_len, gpus=model["gradients"]["gpus"]
            )
        tokens = model["batch_tokens"] or min(
            features.most_tokens(peak, model["room"], cutoff_len) for peak in in_batches.values()
        )
        predicted[name] = {
            "batch_tokens": tokens,
            **{job: peak(tokens) for job, peak in in_batches.items()},
            "trainings": {stage: of_training(config, job, cutoff_len) for stage, job in trainings.items()},
            "evaluations": {
                benchmark: evaluation.needed(config, adapter, job) for benchmark, job in model["evaluations"].items()
            },
        }
    files.write_json(snakemake.output.predicted, predicted)
