"""What the progress screens say, in English and in Chinese. The English text is the key."""

from __future__ import annotations

from pipeline.files.logs.notes import CHINESE as OF_LOGS
from pipeline.words import Words

CHINESE = {
    # names of rows
    "step": "步数",
    "rate": "速度",
    "time": "时间",
    "schedule": "学习率计划",
    "resumed": "恢复",
    "branch": "分支",
    "changed": "改动",
    "held-out": "留出",
    "training": "训练",
    "at the end": "终点估计",
    "curve": "曲线",
    "checkpoints": "检查点",
    "reference": "参照运行",
    "healthy": "正常",
    "note": "说明",
    "log": "日志",
    "wiki": "维基",
    "pages": "页面",
    "sentences": "句子",
    "characters": "字",
    "requests": "请求",
    # states of a run
    "running": "运行中",
    "finished": "已结束",
    "stalled": "停滞",
    "waiting for the first record": "等待第一条记录",
    "whether it goes on is not recorded": "是否仍在运行，没有记录",
    # how far and how fast
    "{step:,}": "第 {step:,} 步",
    "{step:,} of {total:,}": "{step:,} / {total:,} 步",
    "1 record": "1 条记录",
    "{count:,} records": "{count:,} 条记录",
    "{records}, the last {age:duration} ago": "{records}，最后一条在 {age:duration}前",
    "{rate:.2f} steps/s": "每秒 {rate:.2f} 步",
    "{seconds:.1f} s a step": "每步 {seconds:.1f} 秒",
    "{speed} now": "现在{speed}",
    "{speed} overall": "全程{speed}",
    "{speed} before the resume": "恢复前{speed}",
    "measuring": "正在测量",
    "{seconds:duration}": "{seconds:duration}",
    "{seconds:duration} so far": "已用 {seconds:duration}",
    "{eta:duration} left": "还需 {eta:duration}",
    "{eta:duration} left at that speed": "按此速度还需 {eta:duration}",
    "{left}, done at {time}": "{left}，{time} 结束",
    "the rate falls after step {step:,}": "第 {step:,} 步后学习率下降",
    "after step {step:,}": "第 {step:,} 步之后",
    "{age:duration} ago, no record since": "{age:duration}前，还没有新记录",
    "one record since": "此后只有一条记录",
    "from step {step:,}": "自第 {step:,} 步起",
    "of {history}": "主干 {history}",
    "{setting} {before} to {after}": "{setting}：{before} 改为 {after}",
    # accuracy and loss
    "{name} {share}": "{name} {share}",
    "MLM": "MLM",
    "NSP": "NSP",
    "accuracy": "准确率",
    "best {share} at step {step:,}": "最好 {share}，第 {step:,} 步",
    "loss {loss:.3f}": "损失 {loss:.3f}",
    "lr {lr}": "学习率 {lr}",
    "{low:.1f} to {high:.1f} %": "{low:.1f} 到 {high:.1f} %",
    "{low:.1f} to {high:.1f}": "{low:.1f} 到 {high:.1f}",
    "rough, {of}; see --help": "粗略，{of}；见 --help",
    "{span} {of}": "{of} {span}",
    "held-out loss": "留出损失",
    "training loss": "训练损失",
    # checkpoints and reference
    "none yet": "还没有",
    "none here": "这里没有",
    "{count:,}, with states {used:bytes}": "{count:,} 个，连同状态 {used:bytes}",
    "{needed:bytes} to come, {free:bytes} free": "还需 {needed:bytes}，空闲 {free:bytes}",
    "{free:bytes} free": "空闲 {free:bytes}",
    "{difference:+.2f} points": "{difference:+.2f} 个百分点",
    "± {margin:.2f}, {of} {name}, last 8 records": "± {margin:.2f}，{of} {name}，最近 8 条记录",
    # health
    "nothing wrong found": "没有发现问题",
    "nothing wrong found, records arriving on time": "没有发现问题，记录按时到达",
    "stalled: no record for {age:duration}, usually one every {usual:duration}": (
        "停滞：已有 {age:duration}没有新记录，平常每 {usual:duration}一条"
    ),
    "disk: checkpoints to come need {needed:bytes}, {free:bytes} are free": (
        "磁盘：以后的检查点还需 {needed:bytes}，只剩 {free:bytes}"
    ),
    "off the reference: {of} accuracy {points:.1f} points above it around step {step:,}": (
        "偏离参照运行：第 {step:,} 步前后{of}准确率高出 {points:.1f} 个百分点"
    ),
    "off the reference: {of} accuracy {points:.1f} points below it around step {step:,}": (
        "偏离参照运行：第 {step:,} 步前后{of}准确率低了 {points:.1f} 个百分点"
    ),
    "{key}: {count} NaN or infinite, the last at step {step:,}": (
        "{key}：{count} 个值是 NaN 或无穷大，最后一个在第 {step:,} 步"
    ),
    "diverging: loss {now:.3f} over the last {records} records, {lowest:.3f} around step {at:,}": (
        "发散：最近 {records} 条记录的平均损失 {now:.3f}，第 {at:,} 步前后曾是 {lowest:.3f}"
    ),
    "{kind}: {key} at step {step:,}": "{kind}：{key}，第 {step:,} 步",
    "{kind}: {key} at step {step:,} to {last:,}, {count:,} records": (
        "{kind}：{key}，第 {step:,} 到 {last:,} 步，{count:,} 条记录"
    ),
    "spike": "突升",
    "drop": "突降",
    "below 0": "低于 0",
    "never changes": "从不改变",
    "the same value again and again": "同一个值反复出现",
    "a long pause": "长时间停顿",
    "the learning rate jumps": "学习率跳变",
    "overfitting: held-out accuracy {points:.1f} points below its best at step {step:,}, training improves": (
        "过拟合：留出准确率比第 {step:,} 步的最好值低 {points:.1f} 个百分点，训练仍在变好"
    ),
    "overfitting: held-out loss {rise:.3f} above its best at step {step:,}, training improves": (
        "过拟合：留出损失比第 {step:,} 步的最好值高 {rise:.3f}，训练仍在变好"
    ),
    "NSP at chance: {share:.1f} % of {pairs:,} pairs": "NSP 处于机会水平：{pairs:,} 对中判对 {share:.1f} %",
    "NSP still at chance: {share:.1f} % of {pairs:,} pairs; due by {due:,} pairs": (
        "NSP 还在机会水平：{pairs:,} 对中判对 {share:.1f} %；到 {due:,} 对才算晚"
    ),
    # a fetch
    "finished: targets met": "已结束：达到目标",
    "finished: nothing left to fetch": "已结束：没有可取的了",
    "silent": "没有动静",
    "fetching": "采集中",
    "{count:,} stored": "已存 {count:,}",
    "{count:,} waiting": "等待 {count:,}",
    "{count:,} passed over": "略过 {count:,}",
    "the last one {age:duration} ago": "最后一个在 {age:duration}前",
    "{have:,} of {want:,}": "{have:,}，目标 {want:,}",
    "distinct Han characters": "不同的汉字",
    "{count:,} of them repeated": "其中重试 {count:,}",
    "{rate:.1f} pages/min": "每分钟 {rate:.1f} 页",
    "about {left:duration} left": "约还需 {left:duration}",
    "silent: no page for {age:duration}; it has stopped or waits for the wiki": (
        "没有动静：已有 {age:duration}没有新页面；程序已停，或在等维基"
    ),
    "silent: no page yet; it has stopped or waits for the wiki": "没有动静：还没有页面；程序已停，或在等维基",
    "pages arriving": "页面不断到来",
    # before there is anything
    "{path} is not here; this is the run that comes with the program, {committed}": (
        "这里没有 {path}；下面是随程序附带的那次运行：{committed}"
    ),
    "{path}: waiting for the first record": "{path}：等待第一条记录",
    "{path}: waiting for the store": "{path}：等待采集库",
    "… {count} lines more; | cat shows all": "……还有 {count} 行；加 | cat 看全部",
}


def screen_words(language: str) -> Words:
    """The words of the screens, those about logs of other programs included."""
    return Words(language, OF_LOGS | CHINESE)
