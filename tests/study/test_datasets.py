"""How the study's datasets are put together, and the sweep over settings."""

import json

import pytest

from pipeline.characters.han import is_han
from pipeline.collect.article import Article
from pipeline.data.splits import split_by_article
from pipeline.files.dataset import read_dataset, write_dataset
from study import datasets, sweep
from tests.helpers.tiny import ROOT, TINY_SETTINGS, run_script, tiny_dataset
from verify_dataset import number


def article(title, *paragraphs, source="public-domain book: 甲"):
    return Article(title=title, paragraphs=list(paragraphs), source=source)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_guide_shows_the_committed_report(language):
    """docs/DATASET.md prints what verify_dataset.py says of the large dataset."""
    report = json.loads((ROOT / "results" / "datasets" / "verification_large.json").read_text(encoding="utf-8"))
    chinese, english = (ROOT / "docs" / "DATASET.md").read_text(encoding="utf-8").split("## English")
    shown = [line.split() for line in (chinese if language == "zh" else english).splitlines() if "    pass  " in line]
    wanted = [(each["name"], number(each["value"]), number(each["threshold"])) for each in report["checks"]]
    assert [(name, value, threshold) for _, name, value, _, _, threshold, *_ in shown] == wanted


TEXTS = {  # of docs/DATASET.md, by how their sources begin
    **{"wiki2019zh": "wiki2019zh", "zhwiki extract": "zhwiki extract", "ReadWiki-ZH": "ReadWiki", "DRCD": "DRCD"},
    **{"CMRC 2018": "CMRC 2018", "MLQA zh": "MLQA zh", "UD Chinese-GSD": "UD Chinese", "CPP": "CPP"},
    **dict.fromkeys(("古籍", "books"), datasets.BOOK),
}


def test_the_guide_counts_the_text_by_where_it_is_from():
    """Articles and sentences of the large dataset, sentences of the small one, as the committed reports have them."""
    large, small = (
        json.loads((ROOT / "results" / "datasets" / f"verification_{name}.json").read_text(encoding="utf-8"))
        for name in ("large", "small")
    )

    def total(report, start, key):
        found = {name: each[key] for name, each in report["statistics"]["sources"].items() if name.startswith(start)}
        assert found
        return f"{sum(found.values()):,}"

    rows = [line.strip("| ").split(" | ") for line in (ROOT / "docs" / "DATASET.md").read_text("utf-8").splitlines()]
    shown = [(row[0], row[-3:]) for row in rows if row[0] in TEXTS and len(row) == 7]
    assert len(shown) == 2 * (len(TEXTS) - 1)
    for name, numbers in shown:
        start = TEXTS[name]
        assert numbers == [
            total(large, start, "articles"),
            *(total(each, start, "sentences") for each in (large, small)),
        ]


def test_chapters_with_new_characters_come_first(monkeypatch):
    monkeypatch.setattr(datasets, "HAN", 9)
    known = [article("百科", "天地人你我。", source="百科")]
    books = [article("一", "天地。"), article("二", "天日。"), article("三", "山川石日。"), article("四", "火。")]
    order = datasets.chosen_text(known, [], books)
    assert [chapter.title for chapter in order[:2]] == ["百科", "三"]  # 山川石日 makes nine
    assert {chapter.title for chapter in order[2:]} == {"一", "二", "四"}
    assert order == datasets.chosen_text(known, [], books)


def test_isolated_sentences_have_no_neighbour(monkeypatch):
    monkeypatch.setattr(datasets, "HAN", 1)
    order = datasets.chosen_text([], [article("", "今天下雨了。明天呢？")], [])
    assert [text.paragraphs for text in order] == [["今天下雨了。"], ["明天呢？"]]


def test_the_small_dataset_differs_by_its_training_text_alone(monkeypatch):
    monkeypatch.setattr(datasets, "SMALL", 100)
    large = tiny_dataset(articles=200)
    small = datasets.small_dataset(large)
    share = 0.02

    def texts(dataset, documents):
        return [dataset.sentences[d.start : d.start + d.count] for d in documents]

    before, after = split_by_article(large, share), split_by_article(small, share)
    assert texts(small, after.validation) == texts(large, before.validation)
    assert texts(small, after.test) == texts(large, before.test)
    assert sum(document.count for document in after.train) == 100
    assert all(text in texts(large, before.train) for text in texts(small, after.train)[:-20])
    assert small.vocab == large.vocab


def test_the_two_datasets_from_files(tmp_path):
    paragraphs = [f"这里说的是第{n}件事情。它很重要。" for n in range(30)]
    lines = [{"title": text[:8], "paragraphs": [text], "source": "甲"} for text in paragraphs]
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    chosen, large, small = (tmp_path / name for name in ("chosen.jsonl", "large.json", "small.json"))
    for command in (
        ("study/datasets.py", "choose", texts, texts, texts, "--output", chosen),
        ("rare_char_fetch.py", "--source", "text", chosen, "--output", large),
        ("study/datasets.py", "subset", large, "--output", small),
    ):
        done = run_script(*command)
        assert done.returncode == 0, done.stderr
    dataset = read_dataset(small)
    assert dataset.vocab == read_dataset(large).vocab
    assert dataset.metadata["vocab_size"] == len({c for text in dataset.sentences for c in text if is_han(c)})


def test_a_grid_is_every_combination_of_its_values():
    assert sweep.combinations("lr=1,2 optimizer=adamw,muon") == [
        {"lr": "1", "optimizer": "adamw"},
        {"lr": "1", "optimizer": "muon"},
        {"lr": "2", "optimizer": "adamw"},
        {"lr": "2", "optimizer": "muon"},
    ]


def test_a_sweep_ranks_its_runs_and_can_be_repeated(tmp_path):
    write_dataset(tmp_path / "dataset.json", tiny_dataset(articles=60))
    command = (
        "study/sweep.py", tmp_path / "runs", "--vary", "lr=1e-3,1e-2", "--vary", "lr=1e-2 seed=42",
        "--", "--dataset", tmp_path / "dataset.json", *TINY_SETTINGS, "--held-out", "0.2",
    )  # fmt: skip
    first = run_script(*command)
    assert first.returncode == 0, first.stderr
    best_first = first.stdout.split("best first\n")[1].splitlines()
    assert [line.split()[0] for line in sorted(best_first)] == ["lr=1e-2", "lr=1e-2", "lr=1e-3"]
    again = run_script(*command)
    assert again.stdout == first.stdout


def test_a_sweep_ends_with_the_trainers_complaint(tmp_path):
    done = run_script("study/sweep.py", tmp_path, "--vary", "lr=0", "--", "--dataset", tmp_path / "none.json")
    assert done.returncode == 2
    assert "--lr" in done.stderr


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)
