"""librdkafka of confluent-kafka's wheel as a judge: confluent.py BOOTSTRAP PREFIX [CASE...]."""
import random
import threading
import time

from confluent_kafka import (Consumer, ConsumerGroupState, ConsumerGroupTopicPartitions, ConsumerGroupType, IsolationLevel, KafkaError,
                             KafkaException, OFFSET_BEGINNING, OFFSET_END, Producer, TopicCollection, TopicPartition)
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec,
                                   ResourceType)

import cases
from cases import equal

STEP = 1000
FIRST = int(time.time() * 1000) - 3_600_000  # old timestamps would meet the broker's retention
PARTS = 6


class Env(cases.Env):
    def config(self, **more):
        out = {'bootstrap.servers': self.brokers, 'topic.metadata.refresh.fast.interval.ms': 50, 'log_level': 0}
        out.update({k.replace('_', '.'): v for k, v in more.items()})
        return out

    def producer(self, **more):
        return Producer(self.config(**{'linger.ms': 20, 'message.timeout.ms': 20000, 'message.max.bytes': 10_000_000, **more}))

    def consumer(self, **more):
        return Consumer(self.config(**{'group.id': self.name('g'), 'auto.offset.reset': 'earliest', 'enable.auto.commit': False,
                                       'fetch.wait.max.ms': 300, **more}))

    def admin(self):
        """One for the whole case: what it is asked ends with it."""
        if not self.client:
            self.client = AdminClient(self.config())
        return self.client

    def create(self, topic, partitions=1):
        done(self.admin().create_topics([NewTopic(topic, partitions, 1)]))
        # librdkafka asks for metadata of its own; a topic that was just made may not be in it yet
        self.until('the topic', lambda: len(self.admin().list_topics(topic, 5).topics[topic].partitions) == partitions)


def done(futures):
    """Waits for what an admin call gave: a future, or a dictionary of them."""
    if isinstance(futures, dict):
        return {k: f.result(20) for k, f in futures.items()}
    return futures.result(20)


def records(n):
    """(key, value, headers, timestamp); the first are the odd ones."""
    rng = random.Random(n)
    out = []
    for i in range(n):
        key, value, headers = b'key-%d' % i, b'value %d ' % i + b'ab\0\xff' * rng.randrange(60), None
        if i == 1:
            value = b''
        if i == 2:
            key = None
        if i == 3:
            value = None
        if i == 4:
            headers = [('a', b'1'), ('a', None), ('', b'\0\xff'), ('漢字', b'')]
        if i == 5:
            value = rng.randbytes(300_000)
        out.append((key, value, headers, FIRST + i * STEP))
    return out


def compare(want, got):
    equal('number of records', len(want), len(got))
    for i, (w, g) in enumerate(zip(want, got)):
        equal(f'record {i}', w, g)


def produce(p, topic, entries, partition=0):
    failures = []

    def report(error, _):
        if error:
            failures.append(error)
    for key, value, headers, timestamp in entries:
        p.produce(topic, value, key, partition, on_delivery=report, timestamp=timestamp, headers=headers)
        p.poll(0)
    left = p.flush(25)
    if failures:
        raise KafkaException(failures[0])
    equal('undelivered', 0, left)


def texts(*values):
    return [(None, v.encode(), None, FIRST) for v in values]


def fails(code, call):
    try:
        call()
    except KafkaException as x:
        if x.args[0].code() == code:
            return x.args[0]
        raise
    raise AssertionError(f'error {code} did not come')


def entry(m):
    return (m.key(), m.value(), m.headers(), m.timestamp()[1])


def take(e, c, n):
    out = []
    while len(out) < n and not e.late():
        m = c.poll(0.2)
        if m is None:
            continue
        if m.error():
            raise KafkaException(m.error())
        out.append(entry(m))
        e.said = f'{len(out)} records read'
    return out


def read(e, topic, n, offset=OFFSET_BEGINNING, **more):
    c = e.consumer(**more)
    try:
        c.assign([TopicPartition(topic, 0, offset)])
        return take(e, c, n)
    finally:
        c.close()


def filled(e, n):
    topic = e.name('t')
    e.create(topic)
    produce(e.producer(), topic, records(n))
    return topic


# --- records

def metadata(e):
    m = e.admin().list_topics(timeout=10)
    assert m.brokers and m.cluster_id and m.controller_id >= 0, 'no broker, cluster id or controller'
    c = done(e.admin().describe_cluster())
    e.said = f'{len(c.nodes)} broker(s), cluster {c.cluster_id}'


def codec(name):
    def case(e):
        topic = e.name('t')
        e.create(topic)
        produce(e.producer(**{'compression.type': name}), topic, records(300))
        compare(records(300), read(e, topic, 300))
    return case


def from_start(e):
    compare(records(50), read(e, filled(e, 50), 50))


def from_timestamp(e):
    topic = filled(e, 50)
    c = e.consumer()
    at = c.offsets_for_times([TopicPartition(topic, 0, FIRST + 19 * STEP + 1)], 10)[0].offset
    c.close()
    compare(records(50)[20:], read(e, topic, 30, at))


def from_end(e):
    topic = filled(e, 50)
    later = threading.Timer(1.0, lambda: produce(e.producer(), topic, records(1)))  # the reader has asked for the end by then
    later.start()
    compare(records(1), read(e, topic, 1, OFFSET_END))


def out_of_range(e):
    topic = filled(e, 5)
    fails(KafkaError._AUTO_OFFSET_RESET, lambda: read(e, topic, 1, 999, **{'auto.offset.reset': 'error'}))
    compare(records(5), read(e, topic, 5, 999))


def too_large(e):
    topic = e.name('t')
    e.create(topic)
    fails(KafkaError.MSG_SIZE_TOO_LARGE, lambda: produce(e.producer(), topic, [(None, bytes(2 << 20), None, FIRST)]))


# --- groups

class Member:
    """A member in a thread of its own: the partitions that it has now, and the values that it saw."""

    def __init__(self, e, topic, instance=None, **more):
        self.parts, self.seen, self.stop = set(), set(), False
        own = {'enable.auto.commit': True, 'auto.commit.interval.ms': 200, 'max.poll.interval.ms': 15000, 'session.timeout.ms': 10000, **more}
        if own.get('group.protocol') == 'consumer':
            own.pop('session.timeout.ms')
        else:
            own['heartbeat.interval.ms'] = 300
        if instance:
            own['group.instance.id'] = instance
        self.consumer = e.consumer(**own)
        self.consumer.subscribe([topic], on_assign=self.assigned, on_revoke=self.revoked, on_lost=self.revoked)
        self.thread = threading.Thread(target=self.run, args=(e,), daemon=True)
        self.thread.start()

    def assigned(self, _, partitions):
        self.parts |= {p.partition for p in partitions}

    def revoked(self, _, partitions):
        self.parts -= {p.partition for p in partitions}

    def run(self, e):
        while not self.stop and not e.late():
            m = self.consumer.poll(0.1)
            if m is not None and m.error():
                e.said = str(m.error())
            elif m is not None:
                self.seen.add(m.value())
        self.consumer.close()

    def close(self):
        self.stop = True
        self.thread.join(20)


def fill(e, topic, what):
    p = e.producer()
    for part in range(PARTS):
        produce(p, topic, texts(*(f'{what} {part} {i}' for i in range(10))), part)


def shared(e, a, b):
    e.said = f'first has {sorted(a.parts)}, second {sorted(b.parts)}'
    return len(a.parts) == 3 and len(b.parts) == 3 and len(a.parts | b.parts) == PARTS


def two_members(pattern=None, **more):
    """One member has all partitions, a second one joins and each has three, that one leaves and the first has all again."""
    more = {k.replace('_', '.'): v for k, v in more.items()}

    def case(e):
        topic = e.name('t')
        e.create(topic, PARTS)
        fill(e, topic, 'before')
        wanted = f'^{e.prefix}-[a-t]$' if pattern else topic
        a, b = Member(e, wanted, **more), None
        try:
            e.until('the first member has 6 partitions and 60 records', lambda: len(a.parts) == PARTS and len(a.seen) == 60)
            b = Member(e, wanted, **more)
            e.until('each member has 3 of 6 partitions', lambda: shared(e, a, b))
            split = e.said
            fill(e, topic, 'both')
            e.until('120 records', lambda: len(a.seen | b.seen) == 120)
            b.close()
            e.until('the first member has 6 partitions again', lambda: len(a.parts) == PARTS)
            fill(e, topic, 'after')
            e.until('180 records', lambda: len(a.seen | b.seen) == 180)
            e.said = split
        finally:
            a.close()
            if b:
                b.close()
    return case


def static(**more):
    more = {k.replace('_', '.'): v for k, v in more.items()}

    def case(e):
        topic = e.name('t')
        e.create(topic, PARTS)
        a, b, back = Member(e, topic, 'one', **more), Member(e, topic, 'two', **more), None
        try:
            e.until('each member has 3 partitions', lambda: shared(e, a, b))
            had = set(b.parts)
            b.close()
            back = Member(e, topic, 'two', **more)
            e.until('the second member is back', lambda: shared(e, a, back))
            equal('partitions after the return', had, back.parts)
            fill(e, topic, 'after')
            e.until('60 records', lambda: len(a.seen | back.seen) == 60)
        finally:
            for m in (a, b, back):
                if m:
                    m.close()
    return case


def committed(e, group, topic):
    r = done(e.admin().list_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0)])]))
    return r[group].topic_partitions[0].offset


def commit_resume(e):
    topic, out = filled(e, 50), []
    for n in (20, 30):
        c = e.consumer()
        c.subscribe([topic])
        out += take(e, c, n)
        if n == 20:
            c.commit(offsets=[TopicPartition(topic, 0, 20)], asynchronous=False)
        c.close()
    compare(records(50), out)
    equal('committed offset', 20, committed(e, e.name('g'), topic))


# --- idempotence and transactions

def idempotent(e):
    topic, want = e.name('t'), texts(*(f'value {i}' for i in range(5000)))
    e.create(topic)
    produce(e.producer(**{'enable.idempotence': True, 'linger.ms': 0, 'batch.num.messages': 50}), topic, want)
    compare(want, read(e, topic, len(want)))


def transactional(e):
    p = e.producer(**{'transactional.id': e.name('x'), 'transaction.timeout.ms': 25000})
    p.init_transactions(20)
    return p


def values(e, topic, level, patience=20.0):
    c, out, end = e.consumer(**{'isolation.level': level}), [], time.monotonic() + patience
    c.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    while time.monotonic() < end and 'end' not in out:
        m = c.poll(0.2)
        if m is not None and not m.error():
            out.append(m.value().decode())
        e.said = f'read {out}'
    c.close()
    return ' '.join(out)


def txn_read(e):
    topic = e.name('t')
    e.create(topic)
    p = transactional(e)
    for i, some in enumerate((('a', 'b'), ('c', 'd'), ('f',), ('g',), ('h', 'end'))):
        p.begin_transaction()
        produce(p, topic, texts(*some))
        p.abort_transaction(20) if i % 2 else p.commit_transaction(20)
    equal('read uncommitted', 'a b c d f g h end', values(e, topic, 'read_uncommitted'))
    equal('read committed', 'a b f h end', values(e, topic, 'read_committed'))


def txn_open(e):
    topic = e.name('t')
    e.create(topic)
    p = transactional(e)
    p.begin_transaction()
    produce(p, topic, texts('a'))
    produce(e.producer(), topic, texts('b', 'end'))
    at = TopicPartition(topic, 0)
    ends = [done(e.admin().list_offsets({at: OffsetSpec.latest()}, isolation_level=level))[at].offset
            for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)]
    equal('last stable offset and high watermark', [0, 3], ends)
    equal('before the end of the transaction', '', values(e, topic, 'read_committed', 1.5))
    p.commit_transaction(20)
    equal('after it', 'a b end', values(e, topic, 'read_committed'))


def txn_fenced(e):
    topic = e.name('t')
    e.create(topic)
    old = transactional(e)
    old.begin_transaction()
    produce(old, topic, texts('a'))
    young = transactional(e)
    young.begin_transaction()
    produce(young, topic, texts('b', 'end'))
    young.commit_transaction(20)
    try:
        produce(old, topic, texts('c'))
        old.commit_transaction(20)
    except KafkaException as x:
        assert x.args[0].code() in (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED, KafkaError._STATE,
                                    KafkaError._PURGE_QUEUE), x
    else:
        raise AssertionError('the first producer is not fenced')
    equal('read committed', 'b end', values(e, topic, 'read_committed'))


def txn_offsets(protocol):
    def case(e):
        source, target = filled(e, 30), e.name('out')
        e.create(target)
        p, moved, abort = transactional(e), 0, True
        while moved < 30 and not e.late():  # after an abort a new consumer starts where the group is
            c = e.consumer(**{'isolation.level': 'read_committed', 'group.protocol': protocol})
            c.subscribe([source])
            while moved < 30 and not e.late():
                got = [m for m in c.consume(10, 0.2) if not m.error()]
                if not got:
                    continue
                p.begin_transaction()
                produce(p, target, [entry(m) for m in got])
                p.send_offsets_to_transaction(c.position(c.assignment()), c.consumer_group_metadata(), 20)
                if abort:
                    abort = False
                    p.abort_transaction(20)
                    break
                p.commit_transaction(20)
                moved += len(got)
                e.said = f'{moved} moved'
            c.close()
        compare(records(30), read(e, target, 30, **{'isolation.level': 'read_committed', 'group.id': e.name('reader')}))
        equal('committed offset', 30, committed(e, e.name('g'), source))
    return case


# --- admin

def admin_topics(e):
    a, topic = e.admin(), e.name('t')
    done(a.create_topics([NewTopic(topic, 3, 1)], validate_only=True))
    done(a.create_topics([NewTopic(topic, 3, 1, config={'cleanup.policy': 'compact'})]))
    fails(KafkaError.TOPIC_ALREADY_EXISTS, lambda: done(a.create_topics([NewTopic(topic, 3, 1)])))
    fails(KafkaError.TOPIC_EXCEPTION, lambda: done(a.create_topics([NewTopic('not/allowed', 1, 1)])))
    fails(KafkaError.INVALID_REPLICATION_FACTOR, lambda: done(a.create_topics([NewTopic(e.name('rf'), 1, 99)])))
    d = done(a.describe_topics(TopicCollection([topic])))[topic]
    equal('partitions', 3, len(d.partitions))
    assert str(d.topic_id), 'no topic id'
    done(a.delete_topics([topic]))
    e.until('the topic is gone', lambda: topic not in a.list_topics(timeout=10).topics)
    fails(KafkaError.UNKNOWN_TOPIC_OR_PART, lambda: done(a.delete_topics([topic])))


def admin_partitions(e):
    a, topic = e.admin(), e.name('t')
    e.create(topic, 2)
    done(a.create_partitions([NewPartitions(topic, 5)]))
    e.until('5 partitions', lambda: len(a.list_topics(topic, 10).topics[topic].partitions) == 5)
    fails(KafkaError.INVALID_PARTITIONS, lambda: done(a.create_partitions([NewPartitions(topic, 3)])))
    produce(e.producer(), topic, texts('new'), 4)


def admin_configs(e):
    a, topic = e.admin(), e.name('t')
    e.create(topic)

    def change(op, name, value):
        done(a.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[
            ConfigEntry(name, value, incremental_operation=op)])]))

    def get(name):
        c = list(done(a.describe_configs([ConfigResource(ResourceType.TOPIC, topic)])).values())[0][name]
        return c.value, c.source
    for op, name, value, want in ((AlterConfigOpType.SET, 'retention.ms', '123456789', ('123456789', 1)),
                                  (AlterConfigOpType.DELETE, 'retention.ms', None, ('604800000', 5)),
                                  (AlterConfigOpType.APPEND, 'cleanup.policy', 'compact', ('delete,compact', 1)),
                                  (AlterConfigOpType.SUBTRACT, 'cleanup.policy', 'delete', ('compact', 1))):
        change(op, name, value)
        e.said = f'{name} should be {want}, was {get(name)}'
        e.until(f'{name} is {want}', lambda: get(name) == want)
    e.said = ''
    fails(KafkaError.INVALID_CONFIG, lambda: change(AlterConfigOpType.SET, 'no.such.config', '1'))
    fails(KafkaError.INVALID_CONFIG, lambda: change(AlterConfigOpType.SET, 'retention.ms', 'soon'))
    node = next(iter(a.list_topics(timeout=10).brokers))
    assert 'message.max.bytes' in list(done(a.describe_configs([ConfigResource(ResourceType.BROKER, str(node))])).values())[0]


def admin_delete_records(e):
    topic = filled(e, 50)
    r = done(e.admin().delete_records([TopicPartition(topic, 0, 20)]))
    equal('low watermark', 20, next(iter(r.values())).low_watermark)
    compare(records(50)[20:], read(e, topic, 30))
    fails(KafkaError.OFFSET_OUT_OF_RANGE, lambda: done(e.admin().delete_records([TopicPartition(topic, 0, 51)])))


def admin_groups(e):
    topic, a = filled(e, 5), e.admin()
    for protocol in ('classic', 'consumer'):
        group = e.name('g')
        m = Member(e, topic, **{'group.protocol': protocol})
        try:
            e.until('the member has its partition', lambda: len(m.parts) == 1)

            def stable():
                d = done(a.describe_consumer_groups([group]))[group]
                e.said = f'{d.state} {d.type} {len(d.members)}'
                return (d.state == ConsumerGroupState.STABLE and d.type == ConsumerGroupType[protocol.upper()] and len(d.members) == 1
                        and len(d.members[0].assignment.topic_partitions) == 1)
            e.until('the group is stable', stable)
            fails(KafkaError.NON_EMPTY_GROUP, lambda: done(a.delete_consumer_groups([group])))
        finally:
            m.close()
        e.until('the group is listed as empty', lambda: any(g.group_id == group and g.state == ConsumerGroupState.EMPTY
                                                            for g in done(a.list_consumer_groups()).valid))
        done(a.delete_consumer_groups([group]))
        assert all(g.group_id != group for g in done(a.list_consumer_groups()).valid), 'still listed'
        fails(KafkaError.GROUP_ID_NOT_FOUND, lambda: done(a.delete_consumer_groups([group])))
    e.said = ''


def admin_offsets(e):
    topic, a = filled(e, 50), e.admin()
    at = TopicPartition(topic, 0)
    for what, spec, want in (('start', OffsetSpec.earliest(), (0, -1)), ('end', OffsetSpec.latest(), (50, -1)),
                             ('timestamp', OffsetSpec.for_timestamp(FIRST + 19 * STEP + 1), (20, FIRST + 20 * STEP)),
                             ('max timestamp', OffsetSpec.max_timestamp(), (49, FIRST + 49 * STEP)),
                             ('after the last', OffsetSpec.for_timestamp(FIRST + 99 * STEP), (-1, -1))):
        r = done(a.list_offsets({at: spec}))[at]
        equal(what, want, (r.offset, r.timestamp))
    done(a.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(e.name('g'), [TopicPartition(topic, 0, 7)])]))
    equal('committed', 7, committed(e, e.name('g'), topic))


CASES = {
    'metadata': metadata, **{f'codec-{c}': codec(c) for c in ('none', 'gzip', 'snappy', 'lz4', 'zstd')}, 'from-start': from_start,
    'from-timestamp': from_timestamp, 'from-end': from_end, 'out-of-range': out_of_range, 'too-large': too_large,
    'group-range': two_members(partition_assignment_strategy='range'),
    'group-roundrobin': two_members(partition_assignment_strategy='roundrobin'),
    'group-sticky': 'librdkafka has no eager sticky assignor',
    'group-cooperative': two_members(partition_assignment_strategy='cooperative-sticky'), 'group-static': static(),
    'group-kip848': two_members(group_protocol='consumer'),
    'group-kip848-range': two_members(group_protocol='consumer', group_remote_assignor='range'),
    'group-kip848-regex': two_members(True, group_protocol='consumer'), 'group-kip848-static': static(group_protocol='consumer'),
    'commit-resume': commit_resume, 'idempotent': idempotent, 'txn-read': txn_read, 'txn-open': txn_open, 'txn-fenced': txn_fenced,
    'txn-offsets': txn_offsets('classic'), 'txn-offsets-kip848': txn_offsets('consumer'), 'admin-topics': admin_topics,
    'admin-partitions': admin_partitions, 'admin-configs': admin_configs, 'admin-delete-records': admin_delete_records,
    'admin-groups': admin_groups, 'admin-offsets': admin_offsets,
    'admin-transactions': "confluent-kafka's admin has no call for transactions",
}


cases.main('confluent-kafka', CASES, Env, 6)
