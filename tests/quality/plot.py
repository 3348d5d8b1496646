# SPDX-License-Identifier: GPL-2.0-or-later
"""plot: score against ratio, as SVG that is the same for the same numbers."""
import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "deltafs", "svg.fonttype": "none", "font.family": "sans-serif"})
from matplotlib import pyplot, ticker  # noqa: E402

from methods import DEFAULTS  # noqa: E402

LOOKS = {"exact": ("black", "s"), "bitdelta": ("tab:red", "v"), "delta-dct": ("tab:blue", "o"),
         "ultradelta": ("tab:green", "D"), "delta-come": ("tab:purple", "^"), "magnitude": ("tab:brown", "x"),
         "DARE": ("tab:orange", "+")}
AXES = (("linear_ratio", "bytes of the linear layers: original / stored"),
        ("file_ratio", "bytes of the file: original / stored"))


def panel(axes, rows, ratio, title):
    level = {row["family"]: row["accuracy"] for row in rows}
    axes.axhline(level["unchanged"], color="grey", linewidth=1)
    axes.axhline(level["base"], color="grey", linewidth=1, linestyle="dotted")
    for family, (colour, marker) in LOOKS.items():
        mine = [row for row in rows if row["family"] == family and row[ratio]]
        if mine:
            axes.errorbar([row[ratio] for row in mine], [row["accuracy"] for row in mine],
                          [row["loss_error"] for row in mine], fmt=marker, color=colour, markersize=5, linewidth=1,
                          label=family)
    for row in rows:
        if row["method"] in DEFAULTS:
            axes.annotate("default", (row[ratio], row["accuracy"]), fontsize=7, xytext=(4, -9),
                          textcoords="offset points", color=LOOKS[row["family"]][0])
    axes.annotate("unchanged", (1, level["unchanged"]), fontsize=7, xytext=(2, 2), textcoords="offset points")
    axes.annotate("base's linears", (1, level["base"]), fontsize=7, xytext=(2, 2), textcoords="offset points")
    axes.set_xscale("log")
    axes.set_xlim(0.9, 2.5 * max(row[ratio] or 1 for row in rows if row["family"] != "base"))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}x"))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_title(title, fontsize=9)


def draw(summary, path):
    """A row of panels for each task, of the first kind of fine-tunes; bars are standard errors of the loss."""
    kind = summary[0]["kind"]
    tasks = list(dict.fromkeys(row["task"] for row in summary))
    figure, grid = pyplot.subplots(len(tasks), 2, figsize=(9, 3.6 * len(tasks)), sharey="row", squeeze=False)
    for line, task in zip(grid, tasks):
        rows = [row for row in summary if row["task"] == task and row["kind"] == kind]
        for axes, (ratio, label) in zip(line, AXES):
            panel(axes, rows, ratio, f"{task}, {kind}")
            axes.set_xlabel(label, fontsize=8)
        line[0].set_ylabel("% right of the texts held out", fontsize=8)
    figure.legend(*grid[0][0].get_legend_handles_labels(), fontsize=7, loc="upper center", ncols=len(LOOKS))
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.3 / figure.get_figheight()))
    figure.savefig(path, metadata={"Date": None})
