"""The local Athena judged by a real Trino, row by row.

Trino is assembled by `scripts/install_trino.sh` (scripts/test calls it); where that cannot be had
these tests are skipped and say so.  A few minutes on two cores.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.app.run import RunRequest, run
from tests.judge.both import Case, Verdict, Word, compare, count, judge
from tests.judge.generate import generate
from tests.judge.known import OPEN, reason_for
from tests.judge.pipeline import judge_pipeline
from tests.judge.world import local_athena, make_tables
from tests.support.trino import Answer, trino

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.local.athena import LocalAthena
    from tests.support.trino import Trino

__all__ = ["trino"]

ROOT = Path(__file__).parents[2]
SEED, COUNT = 20_130_101, 120
DAYS = ("2013-01-01", "2013-01-02")
FINE = frozenset({Word.SAME, Word.BOTH_FAILED, Word.REFUSED})


@pytest.fixture
def athena(tmp_path: Path) -> Iterator[LocalAthena]:
    with local_athena(tmp_path) as made:
        yield made


@pytest.fixture
def example(tmp_path: Path) -> Path:
    root = tmp_path / "example"
    root.mkdir()
    config = (ROOT / "config.yaml").read_text("utf-8").replace("[raw, app_raw]", "[raw]")
    (root / "config.yaml").write_text(config, "utf-8")
    ignored = shutil.ignore_patterns("app*", "startup.yaml", "tell")  # tables of another workflow
    for part in ("data", "sql", "workflows", "lambdas"):
        shutil.copytree(ROOT / part, root / part, ignore=ignored)
    result = run(RunRequest(root=root, workflow="daily", start=DAYS[0], end=DAYS[1]))
    assert result.status == "SUCCEEDED"
    return root


def shown(verdicts: list[Verdict]) -> str:
    return "\n".join(
        f"{each.word.value}: {each.case.query()}\n  trino: {each.trino}\n  ours:  {each.ours}"
        for each in verdicts
    )


def test_generated_queries_give_what_trino_gives(trino: Trino, athena: LocalAthena) -> None:
    make_tables(trino, athena)
    verdicts = list(judge(trino, athena, generate(SEED, COUNT)))
    print(count(verdicts), shown([v for v in verdicts if v.word is Word.REFUSED]), sep="\n")  # noqa: T201 - for -s
    differ = [each for each in verdicts if each.word not in FINE and reason_for(each) is None]
    new = [v for v in differ if not any(piece in v.case.sql + v.ours for piece in OPEN)]
    assert not new, shown(new)
    # Nearly all must have been answered: refusals are no agreement.
    same = sum(each.word is Word.SAME for each in verdicts)
    assert same > len(verdicts) * 0.9


def test_the_example_projects_tables_are_those_that_trino_makes(
    trino: Trino, example: Path
) -> None:
    verdicts = list(judge_pipeline(example, trino, start=DAYS[0], end=DAYS[1]))
    assert len(verdicts) == 9
    wrong = [each for each in verdicts if each.word is not Word.SAME]
    assert not wrong, shown(wrong)


@pytest.mark.parametrize(
    ("sql", "answer", "word"),
    [
        ("SELECT 7 / 2", Answer(("integer",), ((3,),)), Word.SAME),
        ("SELECT 7 / 2", Answer(("integer",), ((4,),)), Word.ROWS),
        ("SELECT 7 / 2", Answer(("bigint",), ((3,),)), Word.TYPES),
        ("SELECT 7 / 2", Answer((), (), "DIVISION_BY_ZERO", "no"), Word.TRINO_FAILED),
        ("SELECT 7 / 0", Answer((), (), "DIVISION_BY_ZERO", "no"), Word.BOTH_FAILED),
        ("SELECT 7 / 0", Answer(("integer",), ((3,),)), Word.OURS_FAILED),
        ("VALUES 1, 2", Answer(("integer",), ((2,), (1,))), Word.SAME),
        ("SELECT DOUBLE '0.1' + 0.2e0", Answer(("double",), ((0.3,),)), Word.SAME),
        ("SELECT X'00ff'", Answer(("varbinary",), (("AP8=",),)), Word.SAME),
        ("SELECT MAP(ARRAY[1], ARRAY[2])", Answer(("map(integer, integer)",), (({"1": 2},),)),
         Word.SAME),
        ("SELECT ROW(1, NULL)", Answer(("row(integer, unknown)",), (([1, None],),)), Word.SAME),
    ],
)  # fmt: skip
def test_the_judge_sees_differences(
    athena: LocalAthena, sql: str, answer: Answer, word: Word
) -> None:
    assert compare(Case("own", sql), answer, athena).word is word


def test_a_seed_gives_the_same_queries() -> None:
    first, second = generate(7, 200), generate(7, 200)
    assert first == second
    assert first != generate(8, 200)
    assert {each.family for each in first} >= {"strings", "dates", "json", "joins", "windows"}
