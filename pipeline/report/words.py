"""The Chinese of the report; the English text is the key."""

from __future__ import annotations

from pipeline.words import CHINESE, Words

REPORT = {
    ", ": "，",
    ": ": "：",
    "; ": "；",
    ". ": "。",
    ".": "。",
    "A training run in figures": "一次训练的图表",
    "report of {name}": "{name} 的报告",
    "MLM accuracy, test articles": "MLM 准确率，测试文章",
    "MLM accuracy, held-out, last record": "MLM 准确率，留出，最后一条记录",
    "MLM accuracy, training, last record": "MLM 准确率，训练，最后一条记录",
    "accuracy, held-out, last record": "准确率，留出，最后一条记录",
    "accuracy, training, last record": "准确率，训练，最后一条记录",
    "loss, held-out, last record": "损失，留出，最后一条记录",
    "loss, training, last record": "损失，训练，最后一条记录",
    "Pearson r of step and accuracy, held-out": "步数与留出准确率的 Pearson r",
    "epochs": "轮次",
    "The records as the log has them: single records are dots, lines are running means.": (
        "日志中的记录：点是单条记录，线是滑动平均。"
    ),
    "The loss as the log has it, in its own unit.": "日志中的损失，单位照原样。",
    "Pearson r of step and accuracy, training": "步数与训练准确率的 Pearson r",
    "training time": "训练时间",
    "steps": "步数",
    "Figures": "图",
    "Tables": "表",
    "How to read this": "怎样读这些数字",
    "Words": "术语",
    "To read on": "继续阅读",
    "{name} {of}: {start} at step {first}, {end} at step {last}.": (
        "{name}{of}：第 {first} 步 {start}，第 {last} 步 {end}。"
    ),
    "{name}: Pearson r {r:.3f}, best curve {curve}.": "{name}：Pearson r {r:.3f}，最好的曲线是{curve}。",
    "loss": "损失",
    "MLM": "MLM",
    "NSP": "NSP",
    "masked language modelling: guessing masked characters from what stands around them": (
        "掩码语言模型：根据上下文猜被掩码的字"
    ),
    "next sentence prediction: telling whether two sentences stand next to each other in an article": (
        "下一句预测：判断两句话在文章里是否相邻"
    ),
    "Chinese characters alone, without punctuation, digits and letters": "只算汉字，不算标点、数字和字母",
    "measured on text that takes no part in training": "在不参加训练的文本上测量",
    "how straight the line from steps to accuracy is, between -1 and 1; it does not say how well a model learned": (
        "步数与准确率有多接近一条直线，在 -1 与 1 之间；它不表示模型学得好坏"
    ),
    "made so that it holds the true value in 95 of 100 runs; of this run's records, other seeds may differ by more": (
        "按 100 次里 95 次包含真值来作；只含本次运行记录的噪声，不同种子之间的差异可能更大"
    ),
    "The figures are in English: no font with Chinese characters was installed where they were drawn.": (
        "图中文字为英文：作图的机器上没有安装中文字体。"
    ),
    "The figures scroll sideways.": "图可以左右滑动。",
    "Wide tables scroll sideways.": "宽的表可以左右滑动。",
    "Training curves": "训练曲线",
    "The seed predictor's ladder": "种子预测器的梯子",
    "The committed measurements of the predictor, not this run: bits paid above the floor of each source, bits "
    "above the learner alone after a source returns, and bits a byte against the data seen.": (
        "已提交的测量结果，不是本次运行：各来源在下界之上多付的比特，来源回来之后比单独学习多付的比特，以及每字节比特数随数据量的变化。"
    ),
    "seed predictor": "种子预测器",
    "Regret over the floor": "超出下界的遗憾",
    "bits per symbol": "每符号比特数",
    "After a source returns": "来源回来之后",
    "symbols since the return": "回来之后的符号数",
    "bits per symbol above the learner alone": "比单独学习多付的每符号比特数",
    "Bits against data": "比特数与数据量",
    "bytes seen": "已见字节数",
    "Each symbol is predicted before it is seen, and learned after: accuracy and bits are means over the symbols since "
    "the last record. The text is read once, so nothing is held out.": (
        "每个符号先预测、后看到、再学习：准确率与比特数是上次记录以来各符号的平均。文本只读一遍，所以没有留出部分。"
    ),
    "The loss is the code length of a symbol, in bits.": "损失是一个符号的编码长度，单位为比特。",
    "Correlation": "相关",
    "Comparison": "比较",
    "Loss analysis": "损失分析",
    "Several runs": "多次运行",
    "Character frequency": "字频",
    "From counting to context": "从频次基线到语境",
    "Training accuracy is the mean over all masked characters since the last record, without dropout; held-out "
    "accuracy is measured on fixed articles that take no part in training.": (
        "训练准确率是上次记录以来所有被掩码的字的平均（不用 dropout）；留出准确率在固定的、不参加训练的文章上测量。"
    ),
    "Training accuracy is the mean over all masked characters since the last record, with dropout on; held-out "
    "accuracy is measured on fixed articles that take no part in training.": (
        "训练准确率是上次记录以来所有被掩码的字的平均（dropout 打开）；留出准确率在固定的、不参加训练的文章上测量。"
    ),
    "A straight line is not the shape of learning. The best curve is drawn solid; the right panel shows how r depends "
    "on how much of the run is looked at.": (
        "学习过程不是一条直线。实线是最佳曲线；右图说明 r 怎样取决于看了多长的一段。"
    ),
    "Runs of different lengths have different r even if they learn alike, and training accuracy tells how well a run "
    "knows its own text: runs on different text are compared on held-out text.": (
        "学得一样好的运行，长短不同，r 也不同；训练准确率说的是一次运行对自己那份文字有多熟，"
        "文字不同的运行要在留出文本上比。"
    ),
    "Training accuracy is the mean over all symbols since the last record, without dropout; held-out accuracy is "
    "measured on fixed windows of text that takes no part in training.": (
        "训练准确率是上次记录以来全部符号的平均（不用 dropout）；留出准确率在不参加训练的文本的固定窗口上测量。"
    ),
    "Training accuracy is the mean over all symbols since the last record, with dropout on; held-out accuracy is "
    "measured on fixed windows of text that takes no part in training.": (
        "训练准确率是上次记录以来全部符号的平均（dropout 打开）；留出准确率在不参加训练的文本的固定窗口上测量。"
    ),
    "The loss is the cross-entropy of the next symbol.": "损失是下一个符号的交叉熵。",
    "The loss is the sum of MLM and NSP cross-entropy, so its level also holds what NSP costs.": (
        "损失是 MLM 与 NSP 交叉熵之和，所以其高低也包含 NSP 的部分。"
    ),
    "Each run has its own learning-rate schedule, annealed to its own end: a point of a long run is not a short run.": (
        "每次运行的学习率都按自己的长度退火：长运行途中的一点不等于一次短运行。"
    ),
    "A young model answers as counting does: first the commonest character, then what mostly stands beside the "
    "neighbours. Where its own answers become better than those, it has begun to use more of the sentence.": (
        "模型起初像频次基线那样回答：先是最常见的字，再是左右邻字旁边最常出现的字。它答得比频次基线好了，才说明开始用到句子的其余部分。"
    ),
    "The likeliest character for the blank of each sentence, and its probability. A frame and a tick mark the "
    "character that stood there; others may be good Chinese too.": (
        "每句的空里最可能的字和它的概率。框与勾标出原文里的字；别的字也可能通顺。"
    ),
    "In brackets the probability of the character that stood in the sentence, where it is not the answer.": (
        "括号里是原文那个字的概率（答案不是它的时候）。"
    ),
    "Each tenth holds about as many running characters, from rare to common ones; the bars have 95 % binomial "
    "intervals.": "每一组所含的文本量大致相同，从罕见字到常见字；误差线是 95 % 二项区间。",
    "Test text": "测试文本",
    "Validation text": "验证文本",
    "all symbols": "全部符号",
    "symbols predicted": "预测的符号",
    "accuracy of the next symbol": "下一个符号的准确率",
    "guess: commonest symbol": "猜最常见的符号",
    "guess: from the symbol before": "根据前一个符号猜测",
    "bits per character": "每字比特数",
    "n-grams (Kneser-Ney)": "n 元模型（Kneser-Ney）",
    "xz, after the training text": "xz，先读训练文本",
    "PPMd, after the training text": "PPMd，先读训练文本",
    "bits per byte": "每字节比特数",
    "perplexity per word": "每词困惑度",
    "The baselines are fitted on the training text; docs/ANALYSIS.md says what the units mean.": (
        "对照模型由训练文本得出；各单位的含义见 docs/ANALYSIS.md。"
    ),
    "bits per character, test text": "每字比特数，测试文本",
    "Test articles": "测试文章",
    "Validation articles": "验证文章",
    "masked characters": "被掩码的字",
    "all targets": "全部目标",
    "Han alone": "只算汉字",
    "guess: commonest character": "猜最常见的字",
    "guess: from the left neighbour": "根据左邻字猜测",
    "guess: from both neighbours": "根据左右邻字猜测",
    "NSP accuracy, of {pairs:,} pairs (chance 50 %)": "NSP 准确率，{pairs:,} 对（机会水平 50 %）",
    "The guesses by counting are fitted on the training articles and answer at the same positions.": (
        "频次基线在训练文章上统计，在相同的位置作答。"
    ),
    "Step and accuracy": "步数与准确率",
    "Step and loss": "步数与损失",
    "95 % interval, with autocorrelation": "95 % 区间，计入自相关",
    "95 % interval, were records independent": "95 % 区间，假如记录独立",
    "effective sample size, around the best curve": "有效样本量，围绕最佳曲线",
    "p, with autocorrelation": "p，计入自相关",
    "Spearman rho": "Spearman rho",
    "r against log(step)": "对 log(步数) 的 r",
    "r without sampling noise": "去除抽样噪声的 r",
    "The intervals cover the noise of this run's records only; only further seeds show how runs differ.": (
        "区间只包含本次运行各条记录的噪声；运行之间的差异要靠更多种子。"
    ),
    "r over parts of the run": "各段的 r",
    "first {steps:,} steps": "前 {steps:,} 步",
    "steps after {steps:,}": "{steps:,} 步之后",
    "r, training": "r，训练",
    "r, held-out": "r，留出",
    "r measures straightness, not learning: on a saturating curve it falls as the run grows longer.": (
        "r 衡量的是直不直，不是学得好不好：曲线饱和，训练越久 r 越低。"
    ),
    "formula": "公式",
    "parameters": "参数",
    "asymptote": "渐近值",
    "at a bound": "到达边界",
    "The curve of most weight in the forecast first (of least AIC where there is none). Where a parameter ends at "
    "a bound of the search, or the curve would end outside 0 to 100 %, no asymptote is given.": (
        "预测中权重最大的曲线在前（没有预测时 AIC 最小的在前）。参数停在搜索边界上，或曲线会终止于 0 到 100 % 之外时，"
        "不给出渐近值。"
    ),
    "Curves of training accuracy": "训练准确率的曲线",
    "Curves of held-out accuracy": "留出准确率的曲线",
    "Curves of training loss": "训练损失的曲线",
    "Curves of held-out loss": "留出损失的曲线",
    "Forecast": "预测",
    "80 % interval": "80 % 区间",
    "95 % interval": "95 % 区间",
    "reached at step {steps:,}": "已在第 {steps:,} 步达到",
    "about step {steps:,}": "约第 {steps:,} 步",
    "the models disagree": "各模型意见不一",
    "out of reach of what this run can tell": "在这次运行所能说明的范围之外",
    "not supported by this run": "这次运行不足以回答",
    "a run of about {steps:,} steps": "约 {steps:,} 步的运行",
    "at the end of a run of {steps:,} steps": "{steps:,} 步的运行在终点",
    "decayed now, at step {steps:,}": "现在退火，到第 {steps:,} 步",
    "going on, at step {steps:,}": "继续，到第 {steps:,} 步",
    "accuracy at step {steps:,}": "第 {steps:,} 步的准确率",
    "steps to {target}": "达到 {target} 的步数",
    "Beyond the end of a schedule another run is meant, longer and with a schedule of the same shape.": (
        "超出学习率计划终点的步数，指另一次更长、计划形状相同的运行。"
    ),
    "Findings": "发现",
    "NSP, training": "NSP，训练",
    "NSP, held-out": "NSP，留出",
    "{share}, {verdict} (p {p})": "{share}，{verdict}（p {p}）",
    "at chance": "处于机会水平",
    "above chance": "高于机会水平",
    "overfitting, accuracy": "过拟合，准确率",
    "overfitting, loss": "过拟合，损失",
    "from step {steps:,} on": "自第 {steps:,} 步起",
    "not found": "未发现",
    "the last quarter is": "最后四分之一",
    "on a plateau": "已到平台期",
    "rising": "仍在上升",
    "falling": "在下降",
    "undecided": "不能断定",
    ", needs about {count:,} records": "，约需 {count:,} 条记录",
    "early stopping": "提前停止",
    "would have let it run": "规则不会让它停",
    "too few records to decide": "记录太少，无法判定",
    "at step {steps:,}, {share} of the run saved, {lost:+.2f} points lost": (
        "第 {steps:,} 步停，省去 {share} 的训练，损失 {lost:+.2f} 个百分点"
    ),
    "steps {first:,} to {last:,}": "第 {first:,} 至 {last:,} 步",
    "anomaly": "异常",
    "Cost": "代价",
    "tokens": "词元",
    "seconds": "秒",
    "The curves of {name}": "{name} 的曲线",
    "Dots are records, lines their running means; drag to zoom, click twice to go back.": (
        "点是记录，线是滑动平均；拖动可放大，双击还原。"
    ),
    "across": "横轴",
    "scale": "刻度",
    "smoothing": "平滑",
    "linear scale": "线性",
    "logarithmic": "对数",
    "FLOPs": "浮点运算",
    "each point of accuracy took, on average": "平均每个百分点用时",
    "Runs side by side": "各次运行对照",
    "At the end: mean of the last tenth of the records; the interval covers their noise alone.": (
        "终点：最后十分之一记录的平均；区间只含这些记录的噪声。"
    ),
    " r over seeds: mean {mean:.3f}, 95 % interval {low:.3f} to {high:.3f}.": (
        "各种子的 r：均值 {mean:.3f}，95 % 区间 {low:.3f} 至 {high:.3f}。"
    ),
    "Settings that differ": "不同的设置",
    "yes": "是",
    "no": "否",
    "Differences between the runs": "各次运行之差",
    "at the end": "终点",
    "final scoring, validation": "最终打分，验证",
    "final scoring, test": "最终打分，测试",
    "final scoring, validation, sentence pairs": "最终打分，验证，句对",
    "final scoring, test, sentence pairs": "最终打分，测试，句对",
    "points of accuracy": "准确率之差（百分点）",
    "the interval covers": "区间包含",
    "noise of the records alone; other seeds may differ by more": "只含记录的噪声；不同种子之间的差异可能更大",
    "other seeds": "不同的种子",
    "other articles; other seeds may differ by more": "不同的文章；不同种子之间的差异可能更大",
    "other seeds and other articles": "不同的种子与文章",
    "A difference whose interval covers records or articles alone is one between these runs, and says less of their "
    "settings.": "区间只含记录或文章的差，说的是这几次运行之差，不足以说明设置之差。",
    "The ladder and its forecasts": "阶梯及其预测",
    "a run of {steps:,} steps": "{steps:,} 步的运行",
    "from runs of": "依据的运行（步数）",
    "forecast": "预测",
    "reached": "实际达到",
    "Each forecast is from the shorter runs alone; the end is the mean over the last 5 % of the steps.": (
        "每个预测只依据更短的运行；终点指最后 5 % 步数的平均。"
    ),
    "accuracy at the end": "终点准确率",
    "test": "测试",
    "preset": "预设",
    "layers x width, heads": "层数 x 宽度，注意力头",
    "sequences a step": "每步序列数",
    "peak learning rate": "学习率峰值",
    "branch": "分支",
    "of {history} at step {step:,}": "{history}，第 {step:,} 步",
    "seed": "种子",
    "dataset": "数据集",
    "sentences": "句子",
    "vocabulary": "词表",
    "device": "设备",
    "started": "开始",
    "finished": "结束",
    "The run": "运行",
    "Accuracy over all targets includes punctuation, which is easy; the accuracy on Han characters stands beside it.": (
        "总准确率包含容易猜的标点；只算汉字的准确率列在旁边。"
    ),
    "Articles, not sentences, are held out. The validation articles steer; the test articles are scored once, at the "
    "end.": "按文章而不是按句子留出。验证文章用于调整，测试文章只在结束时打一次分。",
    "Neighbouring records may be correlated, and are then worth fewer independent ones; the intervals allow for it.": (
        "相邻记录可能彼此相关，相关时抵不上同样多的独立观测；区间已计入这一点。"
    ),
    "Everything here is about one run unless several are named; another seed would give other numbers.": (
        "除非写明多次运行，这里的一切都只关于一次运行；换一个种子，数字就不同。"
    ),
    "Forecasts assume that the curve goes on as it did, with the same data and the same kind of schedule.": (
        "预测假定曲线照原样延续，数据与学习率计划不变。"
    ),
    "A small model trained on a few million characters is for watching training; it is too weak to be used.": (
        "在几百万字符上训练的小模型是观察训练过程的标本，不是可用的语言模型。"
    ),
}


def report_words(language: str) -> Words:
    """The words of the report, those of the figures included."""
    return Words(language, CHINESE | REPORT)
