from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.experiment import finished
from instruction_selection.experiment.folders import Folders
from instruction_selection.tables import draws, render, results

experiment, log = snakemake.params.experiment, []
try:
    for table, drawn in draws.by_table(finished.draws(Folders.of_run(), experiment)).items():
        rows, spec = draws.summary(drawn, table)
        texts = {
            "md": render.to_markdown(rows, spec),
            "tex": render.to_tex(rows, spec, f"draws-{table}"),
            "csv": results.to_csv(rows, spec),
        }
        for suffix, text in texts.items():
            files.write_text(f"results/{experiment}/draws/{table}.{suffix}", text)
        log.append(texts["md"])
        print(f"{draws.listed(drawn)}: results/{experiment}/draws/{table}.md")
except InputError as error:
    raise SystemExit(str(error)) from None
files.write_text(snakemake.log[0], "\n".join(log))
