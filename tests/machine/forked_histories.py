"""Histories with branches, iterations and Map Runs, by hand; and all together."""

from __future__ import annotations

from tests.machine.histories import (
    ALL,
    CATCH,
    FAIL,
    LONG,
    PASS,
    REFUSED,
    Case,
    both,
    each,
    flow,
    going_on,
    task,
)
from tests.machine.machines import jsonata, jsonpath
from tests.machine.plain_histories import PLAIN

DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}

FORKED = {
    "branches": Case(
        jsonpath({"P": both(flow(A=PASS), flow(B=task()))}),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 ParallelStateEntered
        3<2 ParallelStateStarted
        4<3 PassStateEntered
        5<4 PassStateExited
        6<3 TaskStateEntered
        7<6 TaskScheduled
        8<7 TaskStarted
        9<8 TaskSucceeded
        10<9 TaskStateExited
        11<10 ParallelStateSucceeded
        12<10 ParallelStateExited
        13<12 ExecutionSucceeded
        """,
    ),
    "tasks of two branches are both scheduled before they start": Case(
        jsonpath({"P": both(flow(A=task()), flow(B=task()))}),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 ParallelStateEntered
        3<2 ParallelStateStarted
        4<3 TaskStateEntered
        5<4 TaskScheduled
        6<3 TaskStateEntered
        7<6 TaskScheduled
        8<5 TaskStarted
        9<7 TaskStarted
        10<8 TaskSucceeded
        11<10 TaskStateExited
        12<9 TaskSucceeded
        13<12 TaskStateExited
        14<13 ParallelStateSucceeded
        15<13 ParallelStateExited
        16<15 ExecutionSucceeded
        """,
    ),
    "a branch that fails and the three that it cuts": Case(
        jsonpath(
            {
                "P": both(
                    flow(W=LONG),
                    flow(M=each(flow(V=LONG))),
                    flow(Q=both(flow(U=LONG))),
                    flow(T=task()),
                    **CATCH,
                ),
                "Z": PASS,
            }
        ),
        [1],
        {"T": REFUSED},
        """
        1<0 ExecutionStarted
        2<0 ParallelStateEntered
        3<2 ParallelStateStarted
        4<3 WaitStateEntered
        5<3 MapStateEntered
        6<5 MapStateStarted
        7<3 ParallelStateEntered
        8<7 ParallelStateStarted
        9<3 TaskStateEntered
        10<9 TaskScheduled
        11<6 MapIterationStarted
        12<11 WaitStateEntered
        13<8 WaitStateEntered
        14<10 TaskStarted
        15<14 TaskFailed
        16<15 TaskStateAborted
        17<15 WaitStateAborted
        18<15 MapStateAborted
        19<15 ParallelStateAborted
        20<15 ParallelStateFailed
        21<20 ParallelStateExited
        22<21 PassStateEntered
        23<22 PassStateExited
        24<23 ExecutionSucceeded
        """,
    ),
    "a call that is cut before it starts": Case(
        jsonpath({"P": both(flow(T=task()), flow(F=FAIL), **CATCH), "Z": LONG}),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 ParallelStateEntered
        3<2 ParallelStateStarted
        4<3 TaskStateEntered
        5<4 TaskScheduled
        6<3 FailStateEntered
        7<6 TaskStateAborted
        8<6 ParallelStateFailed
        9<8 ParallelStateExited
        10<9 WaitStateEntered
        11<10 WaitStateExited
        12<11 ExecutionSucceeded
        """,
    ),
    "iterations": Case(
        jsonpath({"M": {**going_on(each(flow(A=PASS))), "Next": "Z"}, "Z": PASS}),
        [1, 2],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapIterationStarted
        5<4 PassStateEntered
        6<5 PassStateExited
        7<6 MapIterationSucceeded
        8<6 MapIterationStarted
        9<8 PassStateEntered
        10<9 PassStateExited
        11<10 MapIterationSucceeded
        12<11 MapStateSucceeded
        13<11 MapStateExited
        14<13 PassStateEntered
        15<14 PassStateExited
        16<15 ExecutionSucceeded
        """,
    ),
    "iterations at the same time": Case(
        jsonpath({"M": each(flow(A=PASS), MaxConcurrency=0)}),
        [1, 2],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapIterationStarted
        5<4 PassStateEntered
        6<5 PassStateExited
        7<6 MapIterationSucceeded
        8<3 MapIterationStarted
        9<8 PassStateEntered
        10<9 PassStateExited
        11<10 MapIterationSucceeded
        12<11 MapStateSucceeded
        13<11 MapStateExited
        14<13 ExecutionSucceeded
        """,
    ),
    "an iteration that fails and the one that it cuts": Case(
        jsonata(
            {
                "M": each(
                    flow(
                        C={
                            "Type": "Choice",
                            "Choices": [{"Condition": "{% $states.input = 1 %}", "Next": "W"}],
                            "Default": "F",
                        },
                        W=LONG,
                        F=FAIL,
                    ),
                    MaxConcurrency=2,
                )
            }
        ),
        [1, 2],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapIterationStarted
        5<4 ChoiceStateEntered
        6<5 ChoiceStateExited
        7<6 WaitStateEntered
        8<3 MapIterationStarted
        9<8 ChoiceStateEntered
        10<9 ChoiceStateExited
        11<10 FailStateEntered
        12<11 MapIterationFailed
        13<11 WaitStateAborted
        14<11 MapIterationAborted
        15<11 MapStateFailed
        16<15 ExecutionFailed
        """,
    ),
    "a Map that is tried again says that it failed only at last": Case(
        jsonpath({"M": each(flow(F=FAIL), Retry=[{"ErrorEquals": ALL, "MaxAttempts": 1}])}),
        [1],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapIterationStarted
        5<4 FailStateEntered
        6<5 MapIterationFailed
        7<5 MapStateStarted
        8<7 MapIterationStarted
        9<8 FailStateEntered
        10<9 MapIterationFailed
        11<9 MapStateFailed
        12<11 ExecutionFailed
        """,
    ),
    "a selector that fails": Case(
        jsonata({"M": each(flow(A=PASS), ItemSelector="{% $no %}", **CATCH), "Z": PASS}),
        [1],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 EvaluationFailed
        5<4 MapStateFailed
        6<5 MapStateExited
        7<6 PassStateEntered
        8<7 PassStateExited
        9<8 ExecutionSucceeded
        """,
    ),
    "items that are none": Case(
        jsonata({"M": each(flow(A=PASS), Items="{% 1 %}")}),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 EvaluationFailed
        4<3 MapStateFailed
        5<4 ExecutionFailed
        """,
    ),
    "an expression that fails at each attempt, and in the catcher": Case(
        jsonata(
            {
                "T": task(
                    Arguments="{% $no %}",
                    Retry=[{"ErrorEquals": ALL, "MaxAttempts": 1}],
                    Catch=[{"ErrorEquals": ALL, "Output": "{% $neither %}", "Next": "Z"}],
                ),
                "Z": PASS,
            }
        ),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 EvaluationFailed
        4<3 EvaluationFailed
        5<4 EvaluationFailed
        6<5 ExecutionFailed
        """,
    ),
    "States.Runtime ends all in silence": Case(
        jsonpath(
            {"P": both(flow(M=each(flow(A={**PASS, "Parameters": {"m.$": "$.no"}}))), flow(W=LONG))}
        ),
        [1],
        {},
        """
        1<0 ExecutionStarted
        2<0 ParallelStateEntered
        3<2 ParallelStateStarted
        4<3 MapStateEntered
        5<4 MapStateStarted
        6<3 WaitStateEntered
        7<5 MapIterationStarted
        8<7 PassStateEntered
        9<8 ExecutionFailed
        """,
    ),
    "a Map Run": Case(
        jsonpath(
            {
                "M": each(
                    {
                        **flow(A=PASS),
                        "ProcessorConfig": DISTRIBUTED,
                    },
                    Label="label",
                )
            }
        ),
        [1, 2, 3],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapRunStarted
        5<4 MapRunSucceeded
        6<5 MapStateSucceeded
        7<5 MapStateExited
        8<7 ExecutionSucceeded
        """,
    ),
    "a Map Run whose selector fails": Case(
        jsonata(
            {
                "M": each(
                    {
                        **flow(A=PASS),
                        "ProcessorConfig": DISTRIBUTED,
                    },
                    ItemSelector="{% $no %}",
                )
            }
        ),
        [1],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapRunStarted
        5<4 MapRunFailed
        6<5 EvaluationFailed
        7<6 MapStateFailed
        8<7 ExecutionFailed
        """,
    ),
    "a Map Run that cannot read its items": Case(
        jsonpath(
            {
                "M": each(
                    {
                        **flow(A=PASS),
                        "ProcessorConfig": DISTRIBUTED,
                    },
                    ItemReader={
                        "Resource": "arn:aws:states:::s3:getObject",
                        "ReaderConfig": {"InputType": "JSON"},
                        "Parameters": {"Bucket": "b", "Key": "k"},
                    },
                )
            }
        ),
        {},
        {"M": {"error": "S3.NoSuchKeyException", "cause": "no such key"}},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapRunStarted
        5<4 MapRunFailed
        6<5 MapStateFailed
        7<6 ExecutionFailed
        """,
    ),
}

CASES = PLAIN | FORKED
