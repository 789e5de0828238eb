"""The further findings in words, for results/README.md alone."""

from __future__ import annotations

import numpy as np

from pipeline.files.scores import CheckpointScore
from pipeline.formatting import step_text
from pipeline.stage import InputError
from study import findings
from study.forecasts import FORECASTS, PERCENTS
from study.objectives import flops
from study.plan import LADDER, PLAN
from study.runs import BASELINE, HEADLINE, history_path
from study.tables import goals, second_edition, trials
from study.tables.at_equal_cost import at_equal_cost
from study.tables.branches import branches
from study.tables.committed import finished, history, scores
from study.tables.counting_to_context import GUESSES
from study.tables.forecasts import curve_of, forecasts_held, read_committed, read_ladder
from study.tables.registers import pairs_of
from study.tables.seeds import seeds as seeds_table
from study.words.finding import Finding, analysis, listed, number, share


def further_findings() -> list[Finding]:
    return [
        goals_and_what_came(),
        price_of_continuing(),
        forecasts(),
        size(),
        data_or_steps(),
        counting_to_context(),
        objectives(),
        overfitting(),
        pairs_of_sentences(),
        whole_words(),
        seeds(),
        published_rule(),
    ]


def price_of_continuing() -> Finding:
    *rows, (_, (whole, shared, saved)) = branches(second_edition.paired(second_edition.read_runs()))[2]
    means = [(label.partition("，")[0], cells[2]) for label, cells in rows if label.endswith("mean")]
    chinese = "，".join(f"{steps} 步时 {mean} 个百分点" for steps, mean in means)
    english = ", ".join(f"{mean} points at {steps} steps" for steps, mean in means)
    return Finding(
        ("能继续的代价", "The price of being able to continue"),
        (
            "学习率恒定的主干可以随时再训练下去；从它分出、用最后五分之一的步数退火的分支，测试 MLM 与同样步数的余"
            f"弦运行相差：{chinese}（括号里是三个种子的 95 % 区间）。每个种子要得到这几个模型，余弦要 {whole} 步，主"
            f"干与分支 {shared} 步（{saved}）。",
            "A trunk at a constant rate can always be trained further. Branches from it, annealed over the last "
            f"fifth of their steps, differ in test MLM from cosine runs of the same steps by {english} (in brackets "
            f"the 95 % interval over three seeds). For these models of one seed cosine takes {whole} steps, trunk "
            f"and branches {shared} ({saved}).",
        ),
    )


def forecasts() -> Finding:
    """The forecasts committed while their runs went on, and that of the longest run of the ladder from the shorter."""
    runs = second_edition.read_runs().finished
    made = forecasts_held(read_committed(FORECASTS), runs)
    parts = [[each for each in made if each.percent == part] for part in PERCENTS]
    errors = [f"{np.median([100 * abs(each.expected - each.came) for each in part]):.2f}" for part in parts]
    hits = [f"{sum(each.hit for each in part)} / {len(part)}" for part in parts]
    seen = [f"{part} %" for part in PERCENTS]
    longest = read_ladder(FORECASTS)[-1]
    ladder = curve_of(runs[LADDER[longest.steps].name], "eval_mlm_acc").end
    foretold, steps = share(longest.ends["eval_mlm_acc"].expected), step_text(longest.steps)
    return Finding(
        ("事先的预测", "Forecasts made beforehand"),
        (
            f"运行还在进行时，预测就已写下，以后不改。从前 {listed(seen)} 的记录看终点，误差中位数是 "
            f"{listed(errors)} 个百分点，80 % 区间包含终点的有 {listed(hits)}。由三次较短的运行预测 {steps} 步的留出"
            f"准确率：{foretold}，实际 {share(ladder)}。",
            "Forecasts were written while their runs went on, and never changed. From the first "
            f"{listed(seen, 1)} of the records the median error at the end is {listed(errors, 1)} points, and "
            f"{listed(hits, 1)} intervals of 80 % hold it. Held-out accuracy after {steps} steps, from the three "
            f"shorter runs: {foretold}; it came to {share(ladder)}.",
        ),
    )


def goals_and_what_came() -> Finding:
    """What the headline was to reach, and why it did not where it did not."""
    run, scored = history(HEADLINE), scores(HEADLINE)
    found = goals.goals(finished(run), scored)
    mlm, _, nsp, _ = found
    reached = sum(each.reached for each in found)
    names = [[each.name.split(" · ")[language] for each in found] for language in (0, 1)]
    chinese = "；".join(f"{name} {each.came}（{each.goal}）" for name, each in zip(names[0], found, strict=True))
    english = "; ".join(f"{name} {each.came} ({each.goal})" for name, each in zip(names[1], found, strict=True))
    chinese = f"事先定下的 {len(found)} 个目标达到 {reached} 个（括号里是目标）：{chinese}。"
    english = f"Goals set beforehand and reached: {reached} of {len(found)} (in brackets the goals): {english}."
    if reached < len(found) and run.last_step < goals.STEPS:
        meant, made = step_text(goals.STEPS), step_text(run.last_step)
        chinese += f"目标是为 {meant} 步定的，时间只够 {made} 步。"
        english += f" They were set for {meant} steps, and there was time for {made}."
    needed = goals.steps_to_the_goal(run)
    if not mlm.reached and needed is not None:
        low = needed.interval[0] if needed.interval else None
        if needed.steps is not None:
            steps = step_text(needed.steps)
            chinese += f"照它自己的曲线，同样形状的运行要 {steps} 步才到留出 {mlm.goal}：缺的是步数与词元。"
            english += f" By its own curve a run of the same shape takes {steps} steps to {mlm.goal} held out."
        elif low is not None:
            steps = step_text(low)
            chinese += f"照它自己的曲线，同样形状的运行到留出 {mlm.goal} 要 {steps} 步以上，要多少说不准。"
            english += (
                f" By its own curve a run of the same shape takes more than {steps} steps to {mlm.goal} held out."
            )
    if not nsp.reached:
        wikipedia, books = (share(pairs_of(scored.checkpoints[-1], books)[1]) for books in (False, True))
        chinese += f"NSP 差在古籍：验证集上维基的句对 {wikipedia}，古籍 {books}。"
        english += (
            f" What NSP lacks is in the books: {wikipedia} of Wikipedia's validation pairs, {books} of the books'."
        )
    return Finding(("目标与实际", "Goals and what came"), (chinese, english))


def size() -> Finding:
    """The two sizes when both have spent the same."""
    medium, small = second_edition.SIZES
    runs = second_edition.read_runs().finished
    rows = at_equal_cost((medium, runs[medium]), (small, runs[small]))[2]
    parts = [[f"{label.split(' · ')[n]} {cells[0]}" for label, cells in rows] for n in (0, -1)]
    shares = [cells[1:] for _, cells in rows]
    chinese = "；".join(f"{at}，{first} 对 {second}" for at, (first, second) in zip(parts[0], shares, strict=True))
    english = "; ".join(f"{at}, {first} against {second}" for at, (first, second) in zip(parts[1], shares, strict=True))
    steps = step_text(runs[small].last_step)
    return Finding(
        ("规模", "Size"),
        (
            f"`medium` 对 `small`（{steps} 步的运行），费用相同时的留出准确率：{chinese}。费用少的一方那时已经退火，另"
            "一方还在半途。",
            f"Held-out accuracy of `medium` against `small` (its run of {steps} steps) at equal cost: {english}. The "
            "one that spends less has been annealed there, the other is still half-way.",
        ),
    )


def data_or_steps() -> Finding:
    table = dict(findings.data_and_steps())
    seen = table["每个样本看几遍 · times an example was seen"]
    wikipedia, books = (table[f"验证，{name}"] for name in ("维基 · validation, Wikipedia", "古籍 · validation, books"))
    return Finding(
        ("数据还是步数", "Data or steps"),
        (
            f"`small` 的 50,000 步：小数据集（只有维基，每个样本看 {seen[0]} 遍）在维基的验证文章上是 "
            f"{wikipedia[0]}，大数据集（一半以上是古籍，{seen[1]} 遍）是 {wikipedia[1]}；在古籍上是 {books[0]} 与 "
            f"{books[1]}。大数据集上步数加倍，维基 {wikipedia[2]}，古籍 {books[2]}。",
            f"50,000 steps of `small`: the small dataset (Wikipedia alone, each example seen {seen[0]} times) gives "
            f"{wikipedia[0]} on Wikipedia's validation articles and the large one (more than half of it books, "
            f"{seen[1]} times) {wikipedia[1]}; on books {books[0]} and {books[1]}. Twice the steps on the large "
            f"one: Wikipedia {wikipedia[2]}, books {books[2]}.",
        ),
    )


def counting_to_context() -> Finding:
    """Where along the checkpoints each way of counting is agreed with most, and what is left at the end."""
    scored = [entry for entry in scores(HEADLINE).checkpoints if entry.counting]
    peaks = [max(scored, key=lambda entry: agreement(entry, name)) for name in GUESSES]
    most = [f"{share(agreement(entry, name))}" for entry, name in zip(peaks, GUESSES, strict=True)]
    at = [step_text(entry.step) for entry in peaks]
    last = scored[-1]
    both, accuracy = share(agreement(last, "both")), share(last.mlm.accuracy)
    return Finding(
        ("从计数到语境", "From counting to context"),
        (
            f"模型的回答与“最常见的字”相同的比例，最高是第 {at[0]} 步的 {most[0]}；与左邻字的计数相同，最高是第 "
            f"{at[1]} 步的 {most[1]}；与左右邻字的计数相同，最高是第 {at[2]} 步的 {most[2]}。结束时它与左右邻字的计"
            f"数有 {both} 相同，准确率 {accuracy}。",
            f"The model answers as the commonest character does at most {most[0]} of the time, at step {at[0]}; as "
            f"counting from the left neighbour does at most {most[1]}, at step {at[1]}; as counting from both "
            f"neighbours does at most {most[2]}, at step {at[2]}. At the end {both} of its answers are those of "
            f"both neighbours, and its accuracy is {accuracy}.",
        ),
    )


def agreement(entry: CheckpointScore, name: str) -> float:
    """The share of the held-out targets where the checkpoint answers as counting does; 0 where it was not scored."""
    return (entry.counting.agreement[name] if entry.counting else None) or 0.0


def objectives() -> Finding:
    masked, causal = findings.both_objectives()
    times = flops(causal)[-1] / flops(masked)[-1]
    first = share(masked.facts.number("test", "mlm_acc"))
    second, bits = share(causal.facts.number("test", "next_acc")), causal.facts.number("test", "bits_per_character")
    return Finding(
        ("掩码与因果", "Masked and causal"),
        (
            f"同样的步数与词元，因果模型用了 {times:.1f} 倍的 FLOPs：它预测每一个位置。测试文章上，掩码模型从两边猜"
            f"中 {first}，因果模型从前文猜中 {second}，每字 {bits:.2f} 比特。两个数字回答的是两个问题，不比高低。",
            f"For the same steps and tokens the causal model spends {times:.1f} times the FLOPs: it predicts every "
            f"position. On test articles the masked model guesses {first} from both sides, the causal one {second} "
            f"from what came before, at {bits:.2f} bits a character. The two numbers answer two questions.",
        ),
    )


def overfitting() -> Finding:
    found, comparison = analysis(), analysis().comparison_with_50k.whole
    held_out = analysis(BASELINE).held_out
    if found.overfit is None or comparison is None or held_out is None:
        raise InputError(f"{history_path(HEADLINE)}: was not compared with the run of 50,000 steps on held-out text")
    since = step_text(found.overfit.since_step or 0)
    training, last = share(comparison.baseline.end_accuracy), share(history(BASELINE).series("eval_mlm_acc")[-1])
    seen = [f"{findings.times_seen(history(name)):.1f}" for name in (HEADLINE, BASELINE)]
    verdict = (f"从第 {since} 步起过拟合", f"overfits from step {since} on") if found.overfit.found else (
        "没有发现过拟合", "no overfitting was found"
    )  # fmt: skip
    return Finding(
        ("过拟合", "Overfitting"),
        (
            f"主要运行：{verdict[0]}，每个样本看了 {seen[0]} 遍。小数据集上每个样本看了 {seen[1]} 遍，最后训练准确率"
            f" {training}，留出 {last}。",
            f"The headline: {verdict[1]}; each example was seen {seen[0]} times. On the small dataset each was seen "
            f"{seen[1]} times, and at the end training accuracy is {training}, held out {last}.",
        ),
    )


def pairs_of_sentences() -> Finding:
    training = analysis().nsp.training
    last = scores(HEADLINE).checkpoints[-1]
    if training is None or training.first_step_above is None or last.nsp is None:
        raise InputError(f"{history_path(HEADLINE)}: NSP is at chance, or was not scored")
    since = step_text(training.first_step_above)
    same, strange = share(last.nsp.same_source.accuracy), share(last.nsp.any_source.accuracy)
    wikipedia, books = (share(pairs_of(last, books)[1]) for books in (False, True))
    unchanged, *changed = trials.pair_trials()
    told = [[trials.NAMES[each.trial].split(" · ")[n] for each in changed] for n in (0, 1)]
    came = [share(each.nsp_acc) for each in changed]
    own = changed[-1]
    return Finding(
        ("句对", "Pairs of sentences"),
        (
            f"NSP 在训练中到第 {since} 步高于机会水平；最后在验证集上，同一来源的负例 {same}（维基 {wikipedia}，古"
            f"籍 {books}：古籍的负例出自同一部书的另一回），任何来源的负例 {strange}。从一次更长的 `medium` 运行第 "
            f"50,000 步的检查点出发、费用相同的试验：{trials.NAMES[unchanged.trial].split(' · ')[0]} "
            f"{share(unchanged.nsp_acc)}；"
            f"{'；'.join(f'{name} {value}' for name, value in zip(told[0], came, strict=True))}。没有一种改动让同样"
            f"的句对更准；由多句组成的段更容易分辨（它自己的句对上 {share(own.own_nsp_acc)}）。",
            f"NSP is above chance in training by step {since}; at the end {same} of validation against strangers of "
            f"the same source (Wikipedia {wikipedia}, books {books}, whose strangers are of another chapter of the "
            f"same book) and {strange} against strangers of any. Trials at equal cost from the checkpoint of a "
            f"longer run of `medium` at step 50,000: {trials.NAMES[unchanged.trial].split(' · ')[1]} "
            f"{share(unchanged.nsp_acc)}; "
            f"{'; '.join(f'{name} {value}' for name, value in zip(told[1], came, strict=True))}. None of the "
            "changes helps on the same pairs; segments of several sentences are easier to tell apart "
            f"({share(own.own_nsp_acc)} on pairs of them).",
        ),
    )


def whole_words() -> Finding:
    characters, words = trials.word_trials()
    steps = step_text(characters.steps)
    return Finding(
        ("整词掩码", "Whole-word masking"),
        (
            f"`medium` 各训练 {steps} 步，都考单个被掩码的字：掩码单字的 {share(characters.mlm_acc)}，掩码整词的 "
            f"{share(words.mlm_acc)}。整词掩码要猜的词没有一个字露出来，问题更难；在这样短的训练里，它没有换来什么。",
            f"`medium` for {steps} steps each, both asked for single masked characters: {share(characters.mlm_acc)} "
            f"when characters were masked, {share(words.mlm_acc)} when whole words were. With no character of a "
            "word shown the training question is harder; in a run as short as this it buys nothing.",
        ),
    )


def seeds() -> Finding:
    finished = second_edition.read_runs().some([planned.name for planned in PLAN if planned.name.startswith("seed_")])
    *runs, (_, spread) = seeds_table(finished, {})[2]
    mlm, han = (sorted((cells[place] for _, cells in runs), key=number) for place in (0, 1))
    return Finding(
        ("种子", "Seeds"),
        (
            f"20,000 步的 {len(runs)} 个种子：测试 MLM 从 {mlm[0]} 到 {mlm[-1]}（标准差 {spread[0]} 个百分点），汉字"
            f"从 {han[0]} 到 {han[-1]}（{spread[1]}），r 的标准差 {spread[3]}。",
            f"{len(runs)} seeds of 20,000 steps: test MLM from {mlm[0]} to {mlm[-1]} (standard deviation "
            f"{spread[0]} points), Han from {han[0]} to {han[-1]} ({spread[1]}), standard deviation of r "
            f"{spread[3]}.",
        ),
    )


def published_rule() -> Finding:
    mean, highest, nsp = findings.published()[-1][1]
    return Finding(
        ("与发表的版本", "Beside the published version"),
        (
            "发表的版本平均 50.53 %，最高 66.35 %，NSP 50 %。按它的计分法（非汉字算一类，32 个训练序列），主要运行"
            f"平均 {mean}，最高 {highest}，NSP {nsp}。只能近似地比：发表的模型大得多，见过的文字也多得多。",
            "The published version has a mean of 50.53 %, a maximum of 66.35 % and NSP 50 %. By its rule (all that "
            f"is not Han is one class, 32 training sequences) the headline has a mean of {mean}, a maximum of "
            f"{highest} and NSP {nsp}. The comparison is approximate: the published model is far larger and saw far "
            "more text.",
        ),
    )
