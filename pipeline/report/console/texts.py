"""The sentences of the console report: in English by name, and the Chinese of each."""

from __future__ import annotations

from pipeline.words import Words

TEXTS = {
    "records": "{path}: {count:,} records to step {last:,}",
    "branch": "  a branch of {history} at step {step:,}: up to there the records are the trunk's",
    "training": "training accuracy",
    "held_out": "held-out accuracy",
    "training_loss": "training loss",
    "held_out_loss": "held-out loss",
    "stats": "training accuracy       mean {mean} %, from {min} to {max} %, standard deviation {std} points",
    "loss": "training loss           {initial} -> {final}",
    "against": "{what} against step",
    "r": "  Pearson r               {r:.3f}   (r^2 {r2:.3f}; it measures straightness, not learning)",
    "r_none": "  Pearson r               not defined: {note}",
    "iid": "  95 % interval           {low:.3f} to {high:.3f} if records were independent",
    "auto": "                          {low:.3f} to {high:.3f} with the autocorrelation of the noise",
    "sizes": "  effective sample size   {line} around the line, {curve} around the curve, by method; record noise only",
    "p": "  slope of a line         p {iid} if independent, {gls} with autocorrelation (generalized least squares)",
    "others": "  other correlations      {parts}",
    "spearman": "Spearman {value:.3f}",
    "log_step": "against log step {value:.3f}",
    "disattenuated": "without the records' sampling noise {value:.3f}",
    "fit": "  {curve:<12} R^2 {r2:.3f}   {formula}: {parameters}{extra}",
    "rolling": "; forecast error {error:.2f} points",
    "rolling_loss": "; forecast error {error:.3f}",
    "at_bound": "; AT BOUND: {names}",
    "passed": "; the last tenth of the records is already beyond its asymptote",
    "horizon": "  r up to step            {parts}",
    "second_half": "  r after step            {after:,}: {r:.3f}",
    "slope": (
        "  points per {steps} steps{blank} {overall:.3f} over the whole run; {first:.3f} in its first tenth, "
        "{last:.3f} in its last"
    ),
    "weights": "  weights of the curves   {parts}",
    "schedule_annealed": (
        "  forecast                the learning rate ended near zero: later steps are those of other, longer runs"
    ),
    "schedule_unfinished": (
        "  forecast                the run goes on, and the rest of its learning-rate schedule lies ahead"
    ),
    "schedule_constant": "  forecast                the learning rate was not brought down, and is left so",
    "schedule_unknown": (
        "  forecast                whether the learning rate still falls is not known (--schedule, --steps): it may "
        "stay, or fall to nothing"
    ),
    "rate": (
        "    learning rate         at {now:.0f} % of its peak, at {end:.0f} % in the end; {progress:.0f} % of the "
        "cumulative rate is spent"
    ),
    "calibrated": "    gain of annealing     from finished runs of this kind ({kind})",
    "references": "    gain of annealing     from the {count} reference runs",
    "not_calibrated": "    gain of annealing     from runs of other kinds: nothing was calibrated on this one, so wide",
    "pooled": "    fitted to             {count} runs that differ in length or seed alone",
    "end": "    at the planned end    {step}: {accuracy:.1f} %, 80 % interval {low:.1f} to {high:.1f}",
    "at": "    at step {step:>12}  {accuracy:.1f} %, 80 % interval {low:.1f} to {high:.1f}",
    "longer": "    a run of {step:>11}  {accuracy:.1f} % at its end, 80 % interval {low:.1f} to {high:.1f}",
    "unsupported": "    at step {step:>12}  not supported by this run, which can tell as far as step {range}",
    "reached": "    {target:.1f} %                reached at step {steps}",
    "reachable": "    {target:.1f} %                about step {steps}, 80 % interval {low} to {high}",
    "reachable_longer": "    {target:.1f} %                a run of about {steps} steps, 80 % interval {low} to {high}",
    "models_disagree": (
        "    {target:.1f} %                with a ceiling or without one differ: {by_model}; chance within {range} "
        "steps {chance:.0f} %"
    ),
    "beyond_every_model": "    {target:.1f} %                a chance of {chance:.0f} % within steps up to {range}",
    "not_supported": (
        "    {target:.1f} %                not supported by this run: a chance of {chance:.0f} % within steps up to "
        "{range}"
    ),
    "form_log": "without",
    "form_ceiling": "with",
    "never": "never",
    "later": "later than {range}",
    "decay_now": "    decay it now          {step}: {accuracy:.1f} %, 80 % interval {low:.1f} to {high:.1f}",
    "go_on": "    go on                 {step}: {accuracy:.1f} %, 80 % interval {low:.1f} to {high:.1f}",
    "go_on_unsupported": "    go on                 not supported yet: this run can tell as far as step {range}",
    "tokens_more": "{value:,.0f} tokens",
    "loss_ahead": "{key} at step {step}: {loss:.3f}, 80 % interval {low:.3f} to {high:.3f}",
    "plateau": (
        "  at the end              {state}: {gain:+.2f} points per tenth of the run, 95 % interval {low:+.2f} to "
        "{high:+.2f}"
    ),
    "state_plateau": "a plateau since step {since:,}",
    "state_rising": "still rising",
    "state_falling": "falling",
    "state_undecided": "undecided, needs about {needed:,} records",
    "nsp": (
        "NSP, {what}: {accuracy:.2f} % of {pairs:,} pairs, exact 95 % interval {low:.2f} to {high:.2f}, p {p} "
        "against 50 %: {verdict}"
    ),
    "nsp_unknown": "NSP, {what}: mean {accuracy:.2f} %; the number of pairs is not known, so no test",
    "at_chance": "never left chance",
    "above_chance": "above chance{since}",
    "since": " since step {step:,} or before",
    "overfit_yes": "overfitting: held-out {which} gets worse since step {since:,} while training improves",
    "overfit_no": "overfitting: none found",
    "overfit_first_pass": "overfitting: none, for the run ends within its first pass over the data",
    "which_accuracy": "accuracy",
    "which_loss": "loss",
    "anomaly": "anomaly: {count} x {kind} in {key}, steps {first:,} to {last:,}: {note}",
    "anomaly_untested": "anomalies: none seen; spikes and drops are searched for from {fewest} records on",
    "no_anomaly": "anomalies: none (false-alarm rate {rate:.0f} of 100 runs)",
    "cost": "cost: {parts} for each point of {what} gained; the last quarter of the run {last}",
    "cost_none": "gained nothing",
    "seconds": "{value:,.1f} s",
    "tokens": "{value:,.0f} tokens",
    "flops": "{value:.2e} FLOPs",
    "early_yes": (
        "early stopping: would have ended the run at step {step:,}, saved {share:.0f} % of it and lost {lost:+.2f} "
        "points"
    ),
    "early_no": "early stopping: would have let the run go on to its end",
    "early_rule": (
        "  (rule: less than {worth:.2f} points gained over {window} records, {confidence:.0f} % sure, {patience} "
        "times in a row; on {key})"
    ),
    "early_too_few": "early stopping: too few records, or too noisy ones, for the rule to decide",
    "early_sure": "  ({confidence:.0f} % sure holds for noise with an autoregression up to {phi:.1f})",
    "early_unsure": "  (in so short a window {confidence:.0f} % sure holds for independent noise alone)",
    "no_baseline": "baseline: none was given (--baseline), so there is nothing to compare with",
    "baseline": ("baseline: r {before} over its whole, this run {now}; do not compare r across lengths"),
    "common": "  up to step {until:,}: r {before} against {now}, difference {r}; end accuracy {accuracy}",
    "common_held_out": "  the same held out: r {before} against {now}, difference {r}; end accuracy {accuracy}",
    "several_seeds": "{count} runs of one setting (seeds)",
    "several_experiments": "{count} runs of different settings; what differs: {names}",
    "run": "  {label:<24} r {r}   at the end {end} %   best {best} % at step {step}",
    "run_branch": "    a branch of {history} at step {step:,}",
    "mean_r": (
        "  r over seeds            mean {mean:.3f}, standard deviation {sd:.3f}, 95 % interval of the mean "
        "{low:.3f} to {high:.3f}"
    ),
    "difference": "  {second} less {first}: {metric} {value}{interval}  ({covers})",
    "interval": ", 95 % interval {low} to {high}",
    "shared": "    the records up to step {step:,} are the same in both and count once",
    "final_difference": (
        "  {second} less {first}: final {split} {of} {value}{interval}  (over {covers}; the same questions of "
        "{articles:,} articles)"
    ),
    "points": "{value:+.2f} points",
    "final_tokens": "accuracy",
    "final_pairs": "accuracy on sentence pairs",
    "covers_seeds_and_articles": "seeds and articles",
    "covers_articles": "articles alone, seeds may differ by more",
    "covers_seeds": "over seeds",
    "covers_records": "record noise only, seeds may differ by more",
    "checkpoints": "{count} checkpoints scored on {sequences:,} {split} sequences, steps {first:,} to {last:,}",
    "group": "  {kind} {name:<12} {before:.1f} % -> {after:.1f} %, half of the gain by step {step:,}",
    "group_flat": "  {kind} {name:<12} {before:.1f} % -> {after:.1f} %, no gain",
    "groups_more": "  {kind}: {count:,} more in the analysis file, not shown here",
    "caveat": "All intervals cover the noise of this run's records only; how runs differ takes further seeds.",
    "undefined": "undefined",
    "unknown": "not known",
    "bits": "{path}: {bits:.3f} bits per character of the test text; on the same text {others}",
    "kneser_ney": "n-grams (Kneser-Ney)",
    "xz": "xz",
    "ppmd": "PPMd",
    "comma": ", ",
    "brackets": " ({parts})",
    "spent": "{seconds:duration}",
    "of_log": "{path}: {note}",
    "none_below": "< 1e-300",
    "until": "{step:,}: {r:.3f}",
    "named": "{name} {value}",
    "written": "written: {path}",
    "baseline_history": "compared with: {path}",
    "committed": "{path} is not here; this is the run that comes with the program",
}

_CHINESE = {
    "records": "{path}：{count:,} 条记录，到第 {last:,} 步",
    "branch": "  这次运行是 {history} 在第 {step:,} 步的分支：到那一步为止是主干的记录",
    "training": "训练准确率",
    "held_out": "留出准确率",
    "training_loss": "训练损失",
    "held_out_loss": "留出损失",
    "stats": "训练准确率             均值 {mean} %，从 {min} 到 {max} %，标准差 {std} 个百分点",
    "loss": "训练损失               {initial} -> {final}",
    "against": "{what}与步数",
    "r": "  Pearson r            {r:.3f}   （r^2 {r2:.3f}；它度量的是“直不直”，不是学得好坏）",
    "r_none": "  Pearson r            没有定义：{note}",
    "iid": "  95 % 区间            {low:.3f} 到 {high:.3f}，假如各记录独立",
    "auto": "                       {low:.3f} 到 {high:.3f}，计入噪声的自相关",
    "sizes": "  有效样本量           围绕直线 {line}，围绕曲线 {curve}（因方法而异；只含记录噪声）",
    "p": "  直线的斜率           假如独立 p {iid}；计入自相关（广义最小二乘）p {gls}",
    "others": "  其他相关系数         {parts}",
    "spearman": "Spearman {value:.3f}",
    "log_step": "对 log(步数) {value:.3f}",
    "disattenuated": "去掉记录的抽样噪声 {value:.3f}",
    "fit": "  {curve:<12} R^2 {r2:.3f}   {formula}：{parameters}{extra}",
    "rolling": "；预测误差 {error:.2f} 个百分点",
    "rolling_loss": "；预测误差 {error:.3f}",
    "at_bound": "；在搜索边界上：{names}",
    "passed": "；最后十分之一的记录已越过它的渐近线",
    "horizon": "  到第几步的 r         {parts}",
    "second_half": "  此步之后的 r         {after:,}：{r:.3f}",
    "slope": "  每 {steps} 步的百分点{blank} 全程 {overall:.3f}；第一个十分之一 {first:.3f}，最后一个 {last:.3f}",
    "weights": "  各曲线的权重         {parts}",
    "schedule_annealed": "  预测                 学习率已降到接近零：以后的步数指另一次更长的运行",
    "schedule_unfinished": "  预测                 运行还在继续，学习率计划的其余部分还在后面",
    "schedule_constant": "  预测                 学习率没有降下来，预测也让它保持不变",
    "schedule_unknown": (
        "  预测                 学习率以后是否下降不得而知（--schedule、--steps）：可能不变，也可能降到零"
    ),
    "rate": "    学习率             现在是峰值的 {now:.0f} %，终点 {end:.0f} %；累计学习率已用去 {progress:.0f} %",
    "calibrated": "    退火的增益         取自同类的已完成运行（{kind}）",
    "references": "    退火的增益         取自 {count} 次参照运行",
    "not_calibrated": "    退火的增益         取自别类运行：没有用这类运行校准过，所以区间较宽",
    "pooled": "    拟合于             设置相同的 {count} 次运行",
    "end": "    计划的终点         第 {step} 步：{accuracy:.1f} %，80 % 区间 {low:.1f} 到 {high:.1f}",
    "at": "    第 {step:>12} 步  {accuracy:.1f} %，80 % 区间 {low:.1f} 到 {high:.1f}",
    "longer": "    另跑 {step:>11} 步  终点 {accuracy:.1f} %，80 % 区间 {low:.1f} 到 {high:.1f}",
    "unsupported": "    第 {step:>12} 步  这次运行不足以回答；它最多能说到第 {range} 步",
    "reached": "    {target:.1f} %             在第 {steps} 步已达到",
    "reachable": "    {target:.1f} %             约在第 {steps} 步，80 % 区间 {low} 到 {high}",
    "reachable_longer": "    {target:.1f} %             需要约 {steps} 步的运行，80 % 区间 {low} 到 {high}",
    "models_disagree": (
        "    {target:.1f} %             有上限与无上限的形式不一致：{by_model}；{range} 步之内的概率 {chance:.0f} %"
    ),
    "beyond_every_model": "    {target:.1f} %             达不到：概率 {chance:.0f} %，步数至 {range}",
    "not_supported": "    {target:.1f} %             这次运行不足以回答：概率 {chance:.0f} %，步数至 {range}",
    "form_log": "无上限",
    "form_ceiling": "有上限",
    "never": "达不到",
    "later": "{range} 以后",
    "decay_now": "    现在就退火         第 {step} 步：{accuracy:.1f} %，80 % 区间 {low:.1f} 到 {high:.1f}",
    "go_on": "    继续               第 {step} 步：{accuracy:.1f} %，80 % 区间 {low:.1f} 到 {high:.1f}",
    "go_on_unsupported": "    继续               这次运行还不足以说终点；它最多能说到第 {range} 步",
    "tokens_more": "{value:,.0f} 个词元",
    "loss_ahead": "损失 {key}，到第 {step} 步：{loss:.3f}，80 % 区间 {low:.3f} 到 {high:.3f}",
    "plateau": (
        "  结尾                 {state}：每十分之一全程 {gain:+.2f} 个百分点，95 % 区间 {low:+.2f} 到 {high:+.2f}"
    ),
    "state_plateau": "自第 {since:,} 步起是平台",
    "state_rising": "仍在上升",
    "state_falling": "在下降",
    "state_undecided": "不能判定，约需 {needed:,} 条记录",
    "nsp": (
        "NSP，{what}：{pairs:,} 对中 {accuracy:.2f} %，"
        "精确 95 % 区间 {low:.2f} 到 {high:.2f}，对 50 % 的 p {p}：{verdict}"
    ),
    "nsp_unknown": "NSP，{what}：均值 {accuracy:.2f} %；不知道有多少对，所以不作检验",
    "at_chance": "从未离开机会水平",
    "above_chance": "高于机会水平{since}",
    "since": "，至迟自第 {step:,} 步起",
    "overfit_yes": "过拟合：自第 {since:,} 步起留出{which}变差，而训练仍在变好",
    "overfit_no": "过拟合：没有发现",
    "overfit_first_pass": "过拟合：没有，因为运行在第一遍数据之内就结束了",
    "which_accuracy": "准确率",
    "which_loss": "损失",
    "anomaly": "异常：{key} 中 {kind} {count} 次，第 {first:,} 到 {last:,} 步：{note}",
    "anomaly_untested": "异常：没有看到；至少 {fewest} 条记录才能判断突升和突降",
    "no_anomaly": "异常：没有（正常的运行每 100 次约有 {rate:.0f} 次被误报）",
    "cost": "代价：{what}每得一个百分点 {parts}；最后四分之一 {last}",
    "cost_none": "没有提升",
    "seconds": "{value:,.1f} 秒",
    "tokens": "{value:,.0f} 个词元",
    "flops": "{value:.2e} 次浮点运算",
    "early_yes": "提前停止：会在第 {step:,} 步结束，省下 {share:.0f} %，损失 {lost:+.2f} 个百分点",
    "early_no": "提前停止：会让这次运行走到终点",
    "early_rule": (
        "  （规则：{window} 条记录内增益小于 {worth:.2f} 个百分点，"
        "{confidence:.0f} % 把握，连续 {patience} 次；依据 {key}）"
    ),
    "early_too_few": "提前停止：记录太少，或噪声太大，规则无法判定",
    "early_sure": "  （{confidence:.0f} % 的把握适用于自回归系数不超过 {phi:.1f} 的噪声）",
    "early_unsure": "  （窗口这么短，{confidence:.0f} % 的把握只适用于独立的噪声）",
    "no_baseline": "基线：没有给出（--baseline），所以无从比较",
    "baseline": "基线：全程 r {before}，本次运行 {now}；长短不同的运行不能按 r 排名",
    "common": "  到第 {until:,} 步：r {before} 对 {now}，差 {r}；结尾准确率 {accuracy}",
    "common_held_out": "  同样，留出文本：r {before} 对 {now}，差 {r}；结尾准确率 {accuracy}",
    "several_seeds": "同一设置的 {count} 次运行（种子）",
    "several_experiments": "{count} 次不同设置的运行；不同之处：{names}",
    "run": "  {label:<24} r {r}   结尾 {end} %   最好 {best} %，在第 {step} 步",
    "run_branch": "    {history} 在第 {step:,} 步的分支",
    "mean_r": "  各种子的 r           均值 {mean:.3f}，标准差 {sd:.3f}，均值的 95 % 区间 {low:.3f} 到 {high:.3f}",
    "difference": "  {second} 减 {first}：{metric} {value}{interval}（{covers}）",
    "interval": "，95 % 区间 {low} 到 {high}",
    "shared": "    两者到第 {step:,} 步的记录相同，只算一次",
    "final_difference": (
        "  {second} 减 {first}：最终{split}{of} {value}{interval}（{covers}；{articles:,} 篇文章的同样问题）"
    ),
    "points": "{value:+.2f} 个百分点",
    "final_tokens": "准确率",
    "final_pairs": "句对准确率",
    "covers_seeds_and_articles": "含种子与文章",
    "covers_articles": "只含文章，种子之间的差异可能更大",
    "covers_seeds": "含种子之间的差异",
    "covers_records": "只含记录噪声，种子之间的差异可能更大",
    "checkpoints": "{count} 个检查点，在 {sequences:,} 条{split}序列上打分，第 {first:,} 到 {last:,} 步",
    "group": "  {kind} {name:<12} {before:.1f} % -> {after:.1f} %，到第 {step:,} 步提升了一半",
    "group_flat": "  {kind} {name:<12} {before:.1f} % -> {after:.1f} %，没有提升",
    "groups_more": "  {kind}：另有 {count:,} 组只写入分析文件，此处未列",
    "caveat": "所有区间只含这次运行内部的记录噪声；不同运行之间的差异需要更多种子。",
    "undefined": "没有定义",
    "unknown": "未知",
    "bits": "{path}：测试文本每字 {bits:.3f} 比特；同一文本上 {others}",
    "kneser_ney": "n 元模型（Kneser-Ney）",
    "xz": "xz",
    "ppmd": "PPMd",
    "comma": "，",
    "brackets": "（{parts}）",
    "spent": "{seconds:duration}",
    "of_log": "{path}：{note}",
    "none_below": "< 1e-300",
    "until": "{step:,}：{r:.3f}",
    "named": "{name} {value}",
    "written": "已写入：{path}",
    "baseline_history": "对照的运行：{path}",
    "committed": "这里没有 {path}；下面是随程序附带的那次运行",
}


def console_words(language: str) -> Words:
    """The words of the console report."""
    return Words(language, {text: _CHINESE[name] for name, text in TEXTS.items()})
