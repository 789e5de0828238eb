"""The model card: every number in its tables is that of the history, in the row and column that say so."""

import pytest

from pipeline.export.model_card import model_card
from pipeline.model.bert import Shape
from tests.helpers.said import numbers_in
from tests.helpers.synthetic import make_history

SHAPE = Shape(
    vocab_size=3_926, layers=5, hidden=384, heads=6, ffn=1_024, max_positions=128, dropout=0.1, attention_dropout=0.1,
    init_std=0.02, head="bert",
)  # fmt: skip


def make_run_history(records=100):
    history = make_history(records)
    more = {"length": 96, "max_positions": 128, "optimizer": "adamw", "warmup": 250, "mask_rate": 0.17}
    history.run["config"] |= more
    history.run["dataset"] |= {
        "path": "data/sets/chosen.json",
        "documents": {"training": 950, "validation": 21, "test": 19},
    }
    history.run |= {"precision": "bf16", "processor": "some processor"}
    return history


def tables(card):
    """Each table as a dictionary from the first cell of a row to its other cells; heads as the row named head."""
    found = []
    for block in card.split("\n\n"):
        if not block.startswith("|"):
            continue
        rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines()]
        found.append({"head": rows[0]} | {name: cells for name, *cells in rows[2:]})
    return found


def percent(share):
    return f"{100 * share:.2f} %"


@pytest.fixture(scope="module")
def card():
    return make_run_history(), model_card(SHAPE, 4000, 843_412, make_run_history())


def test_sizes_of_the_model(card):
    sizes = tables(card[1])[0]
    assert "5 x 384, 4,000 steps" in card[1]
    wanted = {"layers": ["5", "384"], "heads": ["6"], "feed": ["1024"], "positions": ["128"],
              "vocabulary": ["3921", "5"], "parameters": ["843412"]}  # fmt: skip
    found = {word: numbers_in(*cells) for word in wanted for name, cells in sizes.items() if word in name}
    assert found == wanted


def test_facts_of_the_training(card):
    history, facts = card[0], tables(card[1])[1]
    run, config = history.run, history.run["config"]
    assert facts["dataset"] == ["chosen.json"]
    assert facts["dataset's SHA-256"] == [run["dataset"]["fingerprint"]]
    wanted = {
        "sentences": ["29876"],
        "documents": ["950", "21", "19"],
        "steps": ["4000", "4000"],
        "effective batch": ["32", "3"],
        "longest sequence": ["96"],
        "optimizer": ["0.004", "250"],
        "mask rate": ["0.17"],
        "seed": ["42"],
    }
    assert {name: numbers_in(*facts[name]) for name in wanted} == wanted
    assert (facts["precision"], facts["device"], facts["processor"]) == (["bf16"], ["cpu"], ["some processor"])
    assert facts["started, finished"] == [f"{run['started']}, {run['finished']}"]
    assert f"below {config['length']} were trained" in card[1]
    assert "were not trained" not in card[1]


def test_scores_of_validation_and_test_in_their_columns(card):
    history, (*_, scores, guesses) = card[0], tables(card[1])
    assert [("Han" in name, "NSP" in name) for name in scores["head"][1:]] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    assert ["Han" in name for name in guesses["head"][1:]] == [False, True]
    assert len(scores) == 1 + 2
    assert len(guesses) == 1 + 6
    for part in ("validation", "test"):
        found = history.run[part]
        assert scores[f"all of {part}"] == [
            f"{percent(found['mlm_acc'])} of {found['mlm_targets']:,}",
            f"{percent(found['mlm_acc_han'])} of {found['mlm_targets_han']:,}",
            f"{percent(found['nsp_acc'])} of {found['nsp_pairs']:,}",
        ]
        for name, shares in found["guesses"].items():
            assert guesses[f"{part}: {name}"] == [percent(shares["all"]), percent(shares["han"])]


def test_weights_from_the_middle_have_the_record_of_their_step_and_no_test(card):
    history = make_run_history()
    text = model_card(SHAPE, 2000, 843_412, history)
    *_, scores = tables(text)
    place = history.records["steps"].index(2000)
    first, second, third = (percent(history.records[key][place]) for key in
                            ("eval_mlm_acc", "eval_mlm_acc_han", "eval_nsp_acc"))  # fmt: skip
    assert scores[first] == [second, third]
    assert "step 2,000" in text
    assert percent(history.run["test"]["mlm_acc"]) not in text
    assert "before the end" in text
    assert "before the end" not in card[1]


def test_without_a_history_no_score_is_claimed():
    text = model_card(SHAPE, 2000, 843_412, None)
    assert len(tables(text)) == 1
    assert "2,000 optimizer steps" in text


def test_an_untrained_nsp_head_is_said_to_be_so():
    history = make_run_history()
    history.records["nsp_pairs"] = [0] * 100
    sentence = "Next sentence prediction was not trained"
    assert sentence in model_card(SHAPE, 4000, 843_412, history)
    assert sentence not in model_card(SHAPE, 4000, 843_412, make_run_history())
