#!/usr/bin/env python3
"""Partitions of keys as librdkafka chooses them: the library's own functions, called in the wheel of confluent-kafka.

    partitions.py < KEYS        a key a line, in hexadecimal; the lines that go out are described in tests/data/partitions/README.md"""
import ctypes
import glob
import os
import sys

import confluent_kafka

COUNTS = 1, 3, 7, 12, 100, 1000
wheel = os.path.dirname(os.path.dirname(confluent_kafka.__file__))
library = ctypes.CDLL(glob.glob(os.path.join(wheel, 'confluent_kafka.libs', 'librdkafka*'))[0])
for line in sys.stdin:
    key = bytes.fromhex(line.strip())
    for name in 'consistent', 'fnv1a', 'murmur2':
        choose = getattr(library, f'rd_kafka_msg_partitioner_{name}')
        choose.restype = ctypes.c_int32
        choose.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p]
        print(f'librdkafka.{name} {key.hex()}', *(choose(None, key, len(key), n, None, None) for n in COUNTS))
