"""Reads COUNT messages of a topic from its beginning with confluent-kafka (librdkafka); prints one JSON line for each.

Arguments: BOOTSTRAP TOPIC COUNT PROPERTIES, the last a JSON object of further client properties.
"""

import base64
import json
import sys
import uuid

from confluent_kafka import Consumer

bootstrap, topic, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
consumer = Consumer(
    {
        "bootstrap.servers": bootstrap,
        "group.id": f"confluent-{uuid.uuid4()}",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
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
