"""Pub/Sub through google-cloud-pubsub: publish, pull, streaming pull, nack, acknowledge, dead letters. Prints what came."""
import sys
import threading
import time

from google.api_core import exceptions
from local_cloud import PROJECT, publisher, subscriber, tell

NAME = sys.argv[1]
topics, subscriptions = publisher(), subscriber()
topic = topics.topic_path(PROJECT, NAME)
dead = topics.topic_path(PROJECT, f"{NAME}-dead")
for name in (topic, dead):
    topics.create_topic(name=name)
streamed, pulled, burial, fragile = (subscriptions.subscription_path(PROJECT, f"{NAME}-{kind}") for kind in ("streamed", "pulled", "burial", "fragile"))
subscriptions.create_subscription(name=streamed, topic=topic)
subscriptions.create_subscription(name=pulled, topic=topic)
subscriptions.create_subscription(name=burial, topic=dead)

ids = [topics.publish(topic, f"message {i}".encode(), number=str(i)).result(timeout=10) for i in range(50)]

# Streaming: every first delivery is refused once.
seen, came, done = {}, [], threading.Event()


def take(message):
    count = seen[message.message_id] = seen.get(message.message_id, 0) + 1
    if count == 1 and message.attributes["number"] in ("3", "7"):
        message.nack()
        return
    message.ack()
    came.append(message.data.decode())
    if len(set(came)) == 50:
        done.set()


future = subscriptions.subscribe(streamed, callback=take)
assert done.wait(timeout=20), f"{len(set(came))} of 50 came"
future.cancel()
future.result(timeout=10)

# Pulled and acknowledged, until nothing is left.
taken = []
for _ in range(20):
    answer = subscriptions.pull(subscription=pulled, max_messages=30, timeout=5) if len(taken) < 50 else None
    if answer is None:
        break
    taken += [received.message.data.decode() for received in answer.received_messages]
    subscriptions.acknowledge(subscription=pulled, ack_ids=[received.ack_id for received in answer.received_messages])
try:
    left = len(subscriptions.pull(subscription=pulled, max_messages=1, return_immediately=True, timeout=5).received_messages)
except exceptions.DeadlineExceeded:
    left = 0

# Dead letters: refused five times, then it lies on the other topic with Google's attributes.
subscriptions.create_subscription(request={
    "name": fragile, "topic": topic, "dead_letter_policy": {"dead_letter_topic": dead, "max_delivery_attempts": 5},
    "retry_policy": {"minimum_backoff": {"nanos": 1_000_000}, "maximum_backoff": {"nanos": 100_000_000}},
})
poison = topics.publish(topic, b"poison").result(timeout=10)
attempts = []


def refuse(message):
    attempts.append(message.delivery_attempt)
    message.nack()


future = subscriptions.subscribe(fragile, callback=refuse)
buried = []
deadline = time.monotonic() + 20
while not buried and time.monotonic() < deadline:
    buried = list(subscriptions.pull(subscription=burial, max_messages=1, timeout=10).received_messages)
future.cancel()
future.result(timeout=10)
attributes = dict(buried[0].message.attributes)

status = None
try:
    topics.create_topic(name=topic)
except exceptions.AlreadyExists as error:
    status = error.code
tell(
    ids=len(set(ids)), came=sorted(set(came)) == sorted(f"message {i}" for i in range(50)), repeated=sorted(count for count in seen.values() if count > 1), taken=len(set(taken)), left=left,
    attempts=attempts, buried=buried[0].message.data.decode(), delivery_count=attributes.get("CloudPubSubDeadLetterSourceDeliveryCount"), source=attributes.get("CloudPubSubDeadLetterSourceSubscription"), status=status)
subscriptions.close()
