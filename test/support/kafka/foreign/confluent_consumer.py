"""Reads COUNT messages of a topic from its beginning with confluent-kafka (librdkafka); prints one JSON line for each.

Arguments: BOOTSTRAP TOPIC COUNT PROPERTIES, the last a JSON object of further client properties.
"""

import base64
import json
import os
import sys
import uuid

from confluent_kafka import Consumer, KafkaError


def on_error(error):
    """The library would try again for ever; a refused password is an answer."""
    print(error.str(), file=sys.stderr, flush=True)
    if error.code() == KafkaError._AUTHENTICATION:
        os._exit(1)


bootstrap, topic, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
consumer = Consumer(
    {
        "bootstrap.servers": bootstrap,
        "group.id": f"confluent-{uuid.uuid4()}",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "error_cb": on_error,
        **json.loads(sys.argv[4]),
    }
)
consumer.subscribe([topic])
read = 0
while read < count:
    message = consumer.poll(1.0)
    if message is None:
        continue
    if message.error():
        print(message.error(), file=sys.stderr)
        continue
    read += 1
    key = message.key()
    line = {
        "key": None if key is None else key.decode(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": message.timestamp()[1],
        "headers": {name: value.decode() for name, value in message.headers() or []},
        "value": base64.b64encode(message.value() or b"").decode(),
    }
    print(json.dumps(line), flush=True)
consumer.close()
