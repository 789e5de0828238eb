"""What the name of a column says, as trainers write it."""

import pytest

from pipeline.files.logs.names import meaning_of, percent_as_a_rule, words_of


@pytest.mark.parametrize(
    ("names", "part", "measure"),
    [
        ("train_loss Train/Loss loss/train trainLoss training.loss train_loss_epoch", "train", "loss"),
        ("val_loss valid_loss eval/loss test_heldout_loss held_out_loss dev_nll validation/cross_entropy",
         "held_out", "loss"),
        ("loss total_loss mlm_loss nll_loss xent", None, "loss"),
        ("test_loss", "test", "loss"),
        ("train_acc train/accuracy trainAcc training_mean_token_accuracy", "train", "accuracy"),
        ("acc accuracy mlm_acc masked_lm_accuracy top1 acc@1 Acc@1 prec1 accuracy/top1", None, "accuracy"),
        ("accuracy_top-1 rewards/accuracies", None, "accuracy"),
        ("val_acc valAccuracy eval_top1 eval/acc1 val_f1 coco/bbox_mAP mIoU metrics/mAP50(B) exact_match",
         "held_out", "accuracy"),
        ("test_acc1", "test", "accuracy"),
        ("lr learning_rate lr-AdamW LearningRate lr/pg0 optim/lr", None, "rate"),
        ("step Step _step global_step iteration iter num_updates steps", None, "step"),
        ("trainer/global_step train/global_step train_num_updates", "train", "step"),
        ("epoch Epoch epochs", None, "epoch"),
        ("Wall time wall_time timestamp", None, "clock"),
        ("seconds _runtime elapsed", None, "seconds"),
        ("num_tokens tokens tokens_seen num_input_tokens_seen", None, "tokens"),
        ("grad_norm grad/norm", None, "grad_norm"),
        ("ppl perplexity", None, "perplexity"),
    ],
)  # fmt: skip
def test_names_of_one_thing(names, part, measure):
    for name in ("Wall time", "wall_time", "timestamp") if measure == "clock" else names.split():
        found = meaning_of(name)
        assert found is not None, name
        assert (found.part, found.measure) == (part, measure), name


@pytest.mark.parametrize(
    "name",
    ["eval_runtime", "eval_samples_per_second", "train_steps_per_second", "best_acc", "top5", "val_acc5", "loss_scale",
     "memory", "data_time", "gradient_accumulation", "Value", "run - loss__MIN", "run - loss__MAX", "max_steps"],
)  # fmt: skip
def test_names_that_are_no_measure(name):
    assert meaning_of(name) is None


@pytest.mark.parametrize(
    ("plainer", "other"),
    [("loss", "loss_cls"), ("loss", "total_loss"), ("total_loss", "box_loss"), ("loss", "xent"), ("acc", "mlm_acc"),
     ("acc", "f1"), ("mIoU", "mAcc"), ("bbox_mAP", "bbox_mAP_50"), ("global_step", "step"), ("step", "iter")],
)  # fmt: skip
def test_the_plainer_name_goes_first(plainer, other):
    ranks = [found.rank for name in (plainer, other) if (found := meaning_of(name))]
    assert len(ranks) == 2
    assert ranks[0] < ranks[1]


def test_the_run_stands_before_the_metric():
    found = meaning_of("a - b - train/loss")
    assert found is not None
    assert (found.run, found.part, found.measure) == ("a - b", "train", "loss")


def test_words():
    assert words_of("valLoss/Top-1") == ["val", "loss", "top1"]
    assert words_of("Acc@5 (%)") == ["acc5", "percent"]


def test_percent_by_convention():
    names = ["test_acc1", "top1", "Acc@1", "accuracy/top1", "val_acc_percent", "acc (%)"]
    assert all(map(percent_as_a_rule, names))
    assert not any(map(percent_as_a_rule, ["acc", "val_accuracy", "bbox_mAP", "f1"]))
