"""Histories without branches, by hand: one line for each event of AWS's."""

from __future__ import annotations

from tests.machine.histories import (
    ACTIVITY,
    ALL,
    CATCH,
    FAIL,
    FUNCTION,
    LONG,
    PASS,
    QUEUE,
    REFUSED,
    Case,
    task,
)
from tests.machine.machines import jsonpath

PLAIN = {
    "states one after the other": Case(
        jsonpath(
            {
                "A": {"Type": "Pass", "Next": "C"},
                "C": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "W"}],
                    "Default": "S",
                },
                "W": {"Type": "Wait", "Seconds": 5, "Next": "S"},
                "S": {"Type": "Succeed"},
            }
        ),
        {"n": 1},
        {},
        """
        1<0 ExecutionStarted
        2<0 PassStateEntered
        3<2 PassStateExited
        4<3 ChoiceStateEntered
        5<4 ChoiceStateExited
        6<5 WaitStateEntered
        7<6 WaitStateExited
        8<7 SucceedStateEntered
        9<8 SucceedStateExited
        10<9 ExecutionSucceeded
        """,
    ),
    "a Fail state": Case(
        jsonpath({"F": FAIL}),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 FailStateEntered
        3<2 ExecutionFailed
        """,
    ),
    "a call": Case(
        jsonpath({"T": task(TimeoutSeconds=9, HeartbeatSeconds=5)}),
        {"MessageBody": "b"},
        {},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskSucceeded
        6<5 TaskStateExited
        7<6 ExecutionSucceeded
        """,
    ),
    "a call that fails, is tried again, and caught": Case(
        jsonpath({"T": task(Retry=[{"ErrorEquals": ALL, "MaxAttempts": 1}], **CATCH), "Z": PASS}),
        {},
        {"T": REFUSED},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskFailed
        6<5 TaskScheduled
        7<6 TaskStarted
        8<7 TaskFailed
        9<8 TaskStateExited
        10<9 PassStateEntered
        11<10 PassStateExited
        12<11 ExecutionSucceeded
        """,
    ),
    "a call that is waited for": Case(
        jsonpath({"T": task("arn:aws:states:::states:startExecution.sync:2")}),
        {"a": 1},
        {"T": {"submitted": {"ExecutionArn": "arn:x"}, "result": {"Output": 2}}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskSubmitted
        6<5 TaskSucceeded
        7<6 TaskStateExited
        8<7 ExecutionSucceeded
        """,
    ),
    "a call that is waited for and says nothing of its beginning": Case(
        jsonpath({"T": task("arn:aws:states:::ecs:runTask.sync")}),
        {},
        {"T": {"error": "States.TaskFailed", "cause": "{}"}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskSubmitted
        6<5 TaskFailed
        7<6 ExecutionFailed
        """,
    ),
    "a call that is to be waited for and is refused": Case(
        jsonpath({"T": task("arn:aws:states:::batch:submitJob.sync")}),
        {},
        {"T": {"error": "Batch.ServerException", "cause": "busy"}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskSubmitFailed
        6<5 ExecutionFailed
        """,
    ),
    "a token that nobody sends back": Case(
        jsonpath(
            {
                "T": task(
                    f"{QUEUE}.waitForTaskToken",
                    Parameters={"MessageBody.$": "$$.Task.Token"},
                    TimeoutSeconds=3,
                )
            }
        ),
        {},
        {"T": {"submitted": {"MessageId": "1"}, "silent": True}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskSubmitted
        6<5 TaskTimedOut
        7<6 ExecutionFailed
        """,
    ),
    "a function": Case(
        jsonpath(
            {
                "A": {"Type": "Task", "Resource": FUNCTION, "Next": "B"},
                "B": {
                    **task(FUNCTION, Retry=[{"ErrorEquals": ["States.Timeout"]}]),
                    "TimeoutSeconds": 5,
                },
            }
        ),
        {"a": 1},
        {"B": {"error": "ValueError", "cause": "{}"}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 LambdaFunctionScheduled
        4<3 LambdaFunctionStarted
        5<4 LambdaFunctionSucceeded
        6<5 TaskStateExited
        7<6 TaskStateEntered
        8<7 LambdaFunctionScheduled
        9<8 LambdaFunctionStarted
        10<9 LambdaFunctionFailed
        11<10 ExecutionFailed
        """,
    ),
    "a function that takes too long": Case(
        jsonpath({"A": task(FUNCTION, TimeoutSeconds=5)}),
        {},
        {"A": {"silent": True}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 LambdaFunctionScheduled
        4<3 LambdaFunctionStarted
        5<4 LambdaFunctionTimedOut
        6<5 ExecutionFailed
        """,
    ),
    "activities": Case(
        jsonpath(
            {
                "A": {"Type": "Task", "Resource": ACTIVITY, "Next": "B"},
                "B": task(ACTIVITY, **CATCH),
                "Z": task(ACTIVITY, TimeoutSeconds=5),
            }
        ),
        {},
        {"B": {"error": "Own", "cause": "c"}, "Z": {"silent": True}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 ActivityScheduled
        4<3 ActivityStarted
        5<4 ActivitySucceeded
        6<5 TaskStateExited
        7<6 TaskStateEntered
        8<7 ActivityScheduled
        9<8 ActivityStarted
        10<9 ActivityFailed
        11<10 TaskStateExited
        12<11 TaskStateEntered
        13<12 ActivityScheduled
        14<13 ActivityTimedOut
        15<14 ExecutionFailed
        """,
    ),
    "an activity whose worker falls silent": Case(
        jsonpath({"A": task(ACTIVITY, TimeoutSeconds=50, HeartbeatSeconds=5)}),
        {},
        {"A": {"silent": True}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 ActivityScheduled
        4<3 ActivityStarted
        5<4 ActivityTimedOut
        6<5 ExecutionFailed
        """,
    ),
    "an execution that takes too long": Case(
        jsonpath({"W": LONG}, TimeoutSeconds=3),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 WaitStateEntered
        3<0 ExecutionTimedOut
        """,
    ),
}
