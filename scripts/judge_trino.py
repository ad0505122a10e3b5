"""Ask a real Trino and the local Athena the same queries, and show where they differ.

    python scripts/judge_trino.py                      the generated queries
    python scripts/judge_trino.py --seed 7 --count 500
    python scripts/judge_trino.py --sql "SELECT 7 / 2" [--sql ...]
    python scripts/judge_trino.py --file queries.txt   one query or expression a line

Exit code 1: they differ; 3: the judge did not run, since no Trino is assembled
(scripts/install_trino.sh).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.judge.both import Case, Verdict, Word, count, judge  # noqa: E402 - the path comes first
from tests.judge.world import local_athena, make_tables  # noqa: E402
from tests.support.trino import Trino, find_trino, running_trino  # noqa: E402

if TYPE_CHECKING:
    from runner.local.athena import LocalAthena

_GOOD = {Word.SAME, Word.BOTH_FAILED}


def main() -> int:
    """Read the words and judge."""
    words = _words()
    home = find_trino()
    if home is None and not words.server:
        print("The judge did not run: no Trino is assembled (scripts/install_trino.sh).")
        return 3
    with tempfile.TemporaryDirectory() as folder, local_athena(Path(folder)) as athena:
        if words.server:
            return _judge(Trino(*words.server), athena, words)
        assert home is not None  # noqa: S101 - see above
        with running_trino(home) as trino:
            print(f"Trino answers at {trino.url} (its S3: {trino.s3})", file=sys.stderr)
            return _judge(trino, athena, words)


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sql", action="append", default=[], help="a query or an expression")
    parser.add_argument("--file", type=Path, help="a file of them, one a line")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--family", help="only this family of generated queries")
    parser.add_argument("--server", nargs=2, help="a Trino that runs already, and its S3")
    parser.add_argument("--wait", action="store_true", help="serve until a line comes")
    parser.add_argument("--all", action="store_true", help="show agreements too")
    return parser.parse_args()


def _judge(trino: Trino, athena: LocalAthena, words: argparse.Namespace) -> int:
    began = time.monotonic()
    make_tables(trino, athena)
    if words.wait:
        sys.stdin.readline()
        return 0
    verdicts = []
    for verdict in judge(trino, athena, _cases(words)):
        verdicts.append(verdict)
        if words.all or verdict.word not in _GOOD:
            _show(verdict)
    print(f"{count(verdicts)} ({time.monotonic() - began:.0f} s)")
    return int(any(verdict.word not in _GOOD | {Word.REFUSED} for verdict in verdicts))


def _cases(words: argparse.Namespace) -> list[Case]:
    texts = list(words.sql)
    if words.file:
        lines = words.file.read_text("utf-8").splitlines()
        texts += [line for line in lines if line.strip() and not line.startswith("#")]
    if texts:
        return [_case(text) for text in texts]
    from tests.judge.generate import generate  # noqa: PLC0415 - only when it is wanted

    cases = generate(words.seed, words.count)
    return [case for case in cases if words.family in {None, case.family}]


def _case(text: str) -> Case:
    """Read an expression over the table of values (marked @), a plain one, or a query."""
    if text.startswith("@"):
        return Case("given", text[1:].strip(), "FROM vals ORDER BY id")
    return Case("given", text, ordered=" ORDER BY " in text.upper())


def _show(verdict: Verdict) -> None:
    print(f"{verdict.word.value}: [{verdict.case.family}] {verdict.case.sql}")
    print(f"    trino: {verdict.trino[:700]}")
    print(f"    ours:  {verdict.ours[:700]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
