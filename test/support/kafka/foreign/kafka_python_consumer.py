"""Reads COUNT messages of a topic from its beginning with kafka-python (no C code); prints one JSON line for each."""

import base64
import json
import sys
import uuid

from kafka import KafkaConsumer

bootstrap, topic, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
consumer = KafkaConsumer(
    topic,
    bootstrap_servers=bootstrap.split(","),
    group_id=f"kafka-python-{uuid.uuid4()}",
    auto_offset_reset="earliest",
    enable_auto_commit=False,
)
read = 0
for message in consumer:
    read += 1
    line = {
        "key": None if message.key is None else message.key.decode(),
        "partition": message.partition,
        "offset": message.offset,
        "timestamp": message.timestamp,
        "headers": {name: value.decode() for name, value in message.headers},
        "value": base64.b64encode(message.value or b"").decode(),
    }
    print(json.dumps(line), flush=True)
    if read == count:
        break
consumer.close()
