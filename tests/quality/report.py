# SPDX-License-Identifier: GPL-2.0-or-later
"""report: seeds taken together, the table, and what must hold."""
import statistics

from methods import DEFAULTS, METHODS, QUICK, SCALAR_BITDELTA
from score import Loss, error_of

GAP = 25.0  # points that a full fine-tune must be above the base's linears, else the run is void
LOSS = 1.5  # points that a default codec may lose, its error added
KEPT = 95.0  # per cent of that gap that it must keep
ABOVE_BITDELTA = 3.0  # points that it must be above bitdelta with one scale a matrix


def methods_of(summary_name):
    return [m.name for m in METHODS if m.summary == summary_name]


def trainings(run, task, kinds, before, after):
    """Answers of two methods (by summary; "" is the unchanged fine-tune): of each training its pairs, one for every
    kind and every seed of a mask."""
    def pairs(seed):
        for kind in kinds:
            for one in methods_of(before) if before else [""]:
                for other in methods_of(after) if after else [""]:
                    keys = (task, kind, seed, one), (task, kind, seed, other)
                    if all(key in run.answers for key in keys):
                        yield tuple(run.answers[key] for key in keys)

    return [found for found in (list(pairs(seed)) for seed in run.args.seeds) if found]


def percent(answers):
    return 100 * float(statistics.fmean(float(right.mean()) for right in answers))


def summarise(run):
    """One row for each task, kind and method: the mean of all seeds."""
    rows = []
    for task in run.args.tasks:
        for kind in run.args.kinds:
            tuned = percent([run.answers[task, kind, seed, ""] for seed in run.args.seeds])
            loss_of_all = Loss(trainings(run, task, [kind], "", "base linears"))
            rows.append({"task": task, "kind": kind, "method": "unchanged", "family": "unchanged", "accuracy": tuned,
                         "loss": 0.0, "loss_error": 0.0, "kept": 100.0, "linear_ratio": 1.0, "file_ratio": 1.0,
                         "accuracy_error": 100 * error_of(run.answers[task, kind, run.args.seeds[0], ""]),
                         "models": len(run.args.seeds)})
            for name in dict.fromkeys(m.summary for m in run.methods):
                mine = [r for r in run.rows if (r["task"], r["kind"], r["summary"]) == (task, kind, name)]
                if not mine:
                    continue
                loss = Loss(trainings(run, task, [kind], "", name))
                ratios = [r["linear_ratio"] for r in mine]
                rows.append({
                    "task": task, "kind": kind, "method": name, "family": mine[0]["family"],
                    "accuracy": statistics.fmean(r["accuracy"] for r in mine),
                    "accuracy_error": statistics.fmean(r["accuracy_error"] for r in mine),
                    "loss": loss.mean, "loss_error": loss.error, "loss_error_texts": loss.error_texts,
                    "loss_error_models": loss.error_models, "losses": loss.each,
                    "kept": 100 * (1 - loss.mean / loss_of_all.mean),
                    "linear_ratio": statistics.fmean(ratios) if all(ratios) else None,
                    "info_linear_ratio": statistics.fmean(r["info_linear_ratio"] for r in mine),
                    "file_ratio": statistics.fmean(r["file_ratio"] for r in mine), "models": len(mine)})
    return rows


def print_summary(summary):
    print(f"\n{'task':9} {'kind':9} {'method':34} {'right %':>14} {'points lost':>14} {'kept %':>7} {'linear x':>9} "
          f"{'file x':>8} {'models':>6}")
    for row in summary:
        linear = f"{row['linear_ratio']:9.2f}" if row["linear_ratio"] else "      inf"
        print(f"{row['task']:9} {row['kind']:9} {row['method']:34} {row['accuracy']:6.2f} +- "
              f"{row['accuracy_error']:4.2f} {row['loss']:+7.2f} +- {row['loss_error']:4.2f} {row['kept']:7.1f} {linear} "
              f"{row['file_ratio']:8.2f} {row['models']:6}")
    print(flush=True)


def loss_of(row):
    return f"{row['loss']:.2f} ± {row['loss_error']:.2f}"


def table(heads, lines):
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [heads, ["---"] * len(heads), *lines]) + "\n"


def markdown(summary):
    """The tables of README.md, points lost on each task: by the methods that every fine-tune got, of each kind of them;
    and by all the others, of the first kind. Ratios are those of the first column."""
    tasks, kinds = (list(dict.fromkeys(row[key] for row in summary)) for key in ("task", "kind"))
    found = {(row["method"], row["task"], row["kind"]): row for row in summary}
    columns = [(task, kind) for task in tasks for kind in kinds]
    main, others = [], []
    for name in dict.fromkeys(row["method"] for row in summary if row["method"] != "unchanged"):
        first = found[name, tasks[0], kinds[0]]
        linear = f"{first['linear_ratio']:.1f}x" if first["linear_ratio"] else ""
        heads = [f"`{name}`", linear, f"{first['file_ratio']:.1f}x"]
        if all((name, *column) in found for column in columns):
            main.append(heads + [loss_of(found[name, *column]) for column in columns])
        else:
            others.append(heads + [loss_of(found[name, task, kinds[0]]) for task in tasks])
    main.append(["right, unchanged", "1x", "1x"] +
                [f"{found['unchanged', *column]['accuracy']:.1f} %" for column in columns])
    heads = ["points lost", "linears", "file"]
    return (table(heads + [f"{task}, {kind}" for task, kind in columns], main) + "\n" +
            table(heads + [f"{task}, {kinds[0]}" for task in tasks], others))


def must(what, met, found):
    return {"what": what, "met": bool(met), "found": found}


def common(run):
    """What holds for the short form too: everything decodes, exact is exact."""
    exact = [row["same_bytes"] for row in run.rows if row["spec"] == "exact" and row["method"] == "exact"]
    lossy = [row["same_bytes"] for row in run.rows if row["spec"] != "exact"]
    return [must("no method fails", not run.failures, run.failures or f"{len(run.rows)} models encoded and read"),
            must("exact: equal bit for bit", exact and all(exact), f"{sum(exact)} of {len(exact)}"),
            must("lossy: not the same bytes", not any(lossy), f"{len(lossy) - sum(lossy)} of {len(lossy)}")]


def check_default(run, task, kinds, name):
    where = f"{task}, full, {name}"
    found = trainings(run, task, kinds, "", name)
    if not found:
        return [must(where, False, "not in this build")]
    loss = Loss(found)
    gap = Loss(trainings(run, task, kinds, "", "base linears")).mean
    above = Loss(trainings(run, task, kinds, name, SCALAR_BITDELTA))
    kept = 100 * (1 - loss.mean / gap)
    return [must(f"{where}: mean loss and its error at most {LOSS}", loss.mean + loss.error <= LOSS,
                 f"{loss.mean:+.2f} +- {loss.error:.2f}, {len(loss.each)} models, trainings: {len(found)}"),
            must(f"{where}: at least {KEPT:g} % of the gap kept", kept >= KEPT, f"{kept:.1f} % of {gap:.1f} points"),
            must(f"{where}: at least {ABOVE_BITDELTA:g} points above bitdelta scalar", above.mean >= ABOVE_BITDELTA,
                 f"{above.mean:+.2f} +- {above.error:.2f}")]


def check_full(run, summary):
    """Of full fine-tunes, both dtypes of a task together: they are one training, but each file's mask is its own. A
    merged LoRA is measured and told, and nothing is asked of it: its differences are larger than the papers'."""
    musts = common(run)
    kinds = [kind for kind in run.args.kinds if kind.startswith("full")]
    for task in run.args.tasks if kinds else ():
        for kind in kinds:
            gaps = [Loss([pairs]).mean for pairs in trainings(run, task, [kind], "", "base linears")]
            musts.append(must(f"{task}, {kind}: at least {GAP:g} points above the base's linears, else the run is void",
                              min(gaps) >= GAP, ", ".join(f"{gap:.1f}" for gap in gaps)))
        for name in DEFAULTS:
            musts += check_default(run, task, kinds, name)
    return musts


def check_quick(run, summary):
    """Every codec of this build is better than the base's linears."""
    musts = common(run)
    of = {row["method"]: row["accuracy"] for row in summary}
    for name in [row["method"] for row in summary if row["method"] not in ("unchanged", "base linears")]:
        musts.append(must(f"{name}: better than the base's linears", of[name] > of["base linears"],
                          f"{of[name]:.1f} % and {of['base linears']:.1f} % right, {of['unchanged']:.1f} % unchanged"))
    missing = [name for name in QUICK if name in run.refused]
    musts.append(must("every codec is in this build", not missing, ", ".join(missing) or "all"))
    return musts
