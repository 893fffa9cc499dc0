"""Routes one task, runs its tests, tells Bellwether how it went, and reads the record back."""

import os

import grpc
from bellwether.v1 import feedback_pb2, feedback_pb2_grpc, router_pb2, router_pb2_grpc

channel = grpc.insecure_channel(os.environ.get("BELLWETHER_ADDR", "127.0.0.1:7431"))
key = [("authorization", "Bearer " + os.environ["BELLWETHER_KEY"])]
router = router_pb2_grpc.RouterServiceStub(channel)
feedback = feedback_pb2_grpc.FeedbackServiceStub(channel)

# Which model shall take this task?
ask = {"role": "ROLE_USER", "content": [{"text": "test_sum fails: expected 10, got 6. Fix it."}]}
request = router_pb2.RouteRequest(context={"task": "fix-test", "messages": [ask]})
decision = router.Route(request, metadata=key)
print(f"use {decision.endpoint.model}, drawn with probability {decision.propensity:.3f}")

# Call that model as you always do, and run the tests on what it wrote. Here they pass.
signals = [
    {"name": "tests_passed", "value": {"flag": True}},
    {"name": "json_valid", "value": {"flag": True}},
    {"name": "patch_lines", "value": {"number": 12}},
]

# Tell how it went: now, or days later from another process. All it takes is the decision's id.
item = {"decision_id": decision.decision_id, "signals": signals, "evaluator": {"name": "ci"}}
reply = feedback.SubmitFeedback(feedback_pb2.SubmitFeedbackRequest(items=[item]), metadata=key)
print("feedback:", feedback_pb2.FeedbackResult.Status.Name(reply.results[0].status))

# What is on record?
request = router_pb2.GetDecisionRequest(decision_id=decision.decision_id)
record = router.GetDecision(request, metadata=key).decision
for signal in record.signals:
    value = getattr(signal.value, signal.value.WhichOneof("value"))
    print(f"{record.decision.arm}: {signal.name} = {value}, says {signal.evaluator.name}")
