"""kcat (Debian's librdkafka) as a judge: kcat.py BOOTSTRAP PREFIX [CASE...].

kcat makes topics only by writing to them: what needs more partitions is made by the program named in KAFKA_CLI."""
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

import cases
from cases import equal


class Env(cases.Env):
    def kcat(self, *args, data=None, status=0, timeout=30):
        r = subprocess.run(['kcat', '-b', self.brokers, *args], input=data, capture_output=True, timeout=timeout)
        if r.returncode != status:
            raise AssertionError(f'kcat {" ".join(args)} ended with {r.returncode}: {r.stderr.decode(errors="replace")[-300:]}')
        self.stderr = r.stderr.decode(errors='replace')
        return r.stdout

    def produce(self, topic, lines, *more):
        self.kcat('-P', '-t', topic, '-p', '0', *more, data='\n'.join(lines).encode())

    def consume(self, topic, *more):
        return self.kcat('-C', '-t', topic, '-p', '0', '-e', '-q', '-X', 'topic.metadata.refresh.fast.interval.ms=50',
                         *(more or ('-o', 'beginning'))).decode().splitlines()

    def make(self, topic, partitions):
        subprocess.run([os.environ['KAFKA_CLI'], 'topics', 'create', topic, '-p', str(partitions), '-b', self.brokers], check=True,
                       capture_output=True, timeout=30)


def metadata(e):
    m = json.loads(e.kcat('-L', '-J'))
    assert m['brokers'] and m['originating_broker'], m
    e.said = f'{len(m["brokers"])} broker(s), {len(m["topics"])} topics'


def codec(name):
    def case(e):
        topic = e.name('t')
        lines = [f'k{i % 7}:value {i} ' + 'é漢' * (i % 50) for i in range(1000)] + ['big:' + 'x' * 300_000]
        e.produce(topic, lines, '-K', ':', '-z', name, '-H', 'a=1', '-H', 'b=', '-X', 'linger.ms=50')
        equal('lines', lines, e.consume(topic, '-o', 'beginning', '-f', '%k:%s\n'))
        equal('headers', ['a=1,b='], e.consume(topic, '-o', '0', '-c', '1', '-f', '%h\n'))
    return case


LINES = [f'value {i}' for i in range(50)]


def from_start(e):
    e.produce(e.name('t'), LINES)
    equal('lines', LINES, e.consume(e.name('t')))


def from_timestamp(e):
    e.produce(e.name('t'), LINES[:20])
    time.sleep(0.1)
    middle = int(time.time() * 1000)
    time.sleep(0.1)
    e.produce(e.name('t'), LINES[20:])
    equal('lines', LINES[20:], e.consume(e.name('t'), '-o', f's@{middle}'))


def from_end(e):
    e.produce(e.name('t'), LINES)
    equal('the last three', LINES[-3:], e.consume(e.name('t'), '-o', '-3'))
    equal('nothing', [], e.consume(e.name('t'), '-o', 'end'))


def out_of_range(e):
    e.produce(e.name('t'), LINES)
    e.kcat('-C', '-t', e.name('t'), '-p', '0', '-e', '-o', '999', '-X', 'topic.auto.offset.reset=error', status=1)
    assert 'out of range' in e.stderr, e.stderr
    equal('lines', LINES, e.consume(e.name('t'), '-o', '999', '-X', 'topic.auto.offset.reset=earliest'))


def too_large(e):
    e.produce(e.name('t'), LINES)
    e.kcat('-P', '-t', e.name('t'), '-p', '0', '-X', 'message.max.bytes=8000000', data=b'x' * (2 << 20), status=1)
    assert 'size too large' in e.stderr, e.stderr


class Member:
    """A member: kcat tells its assignment on standard error, and the values go to standard output."""

    def __init__(self, e, *more):
        self.parts, self.seen, self.log = [], set(), []
        self.process = subprocess.Popen(
            ['kcat', '-b', e.brokers, '-G', e.name('g'), '-u', '-X', 'auto.offset.reset=earliest', '-X', 'heartbeat.interval.ms=300', '-X',
             'session.timeout.ms=10000', '-X', 'auto.commit.interval.ms=200', *more, e.name('t')],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        for stream, into in ((self.process.stdout, self.value), (self.process.stderr, self.word)):
            threading.Thread(target=lambda s=stream, f=into: [f(line.decode().rstrip('\n')) for line in s], daemon=True).start()

    def value(self, line):
        self.seen.add(line)

    def word(self, line):
        self.log.append(line)
        # '(memberid ...): assigned: t [0], ...' or 'incremental revoke of 3 partition(s) (memberid ...): t [0], ...'
        m = re.match(r'% Group \S+ rebalanced.*?(assign|revoke)', line)
        if m:
            parts = {int(p) for p in re.findall(r' \[(\d+)\]', line)}
            self.parts = sorted(set(self.parts) - parts if m.group(1) == 'revoke' else set(self.parts) | parts)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()


def fill(e, what):
    for part in range(6):
        e.kcat('-P', '-t', e.name('t'), '-p', str(part), data='\n'.join(f'{what} {part} {i}' for i in range(10)).encode())


def shared(e, a, b):
    e.said = f'first has {a.parts}, second {b.parts}'
    return len(a.parts) == 3 and len(b.parts) == 3 and len(set(a.parts) | set(b.parts)) == 6


def two_members(strategy):
    def case(e):
        e.make(e.name('t'), 6)
        fill(e, 'before')
        own = ('-X', f'partition.assignment.strategy={strategy}')
        a, b = Member(e, *own), None
        try:
            e.until('the first member has 6 partitions and 60 records', lambda: len(a.parts) == 6 and len(a.seen) == 60)
            b = Member(e, *own)
            e.until('each member has 3 of 6 partitions', lambda: shared(e, a, b))
            split = e.said
            fill(e, 'both')
            e.until('120 records', lambda: len(a.seen | b.seen) == 120)
            b.close()
            e.until('the first member has 6 partitions again', lambda: len(a.parts) == 6)
            fill(e, 'after')
            e.until('180 records', lambda: len(a.seen | b.seen) == 180)
            e.said = split
        finally:
            a.close()
            if b:
                b.close()
    return case


def static(e):
    e.make(e.name('t'), 6)
    members = [Member(e, '-X', f'group.instance.id={i}') for i in ('one', 'two')]
    try:
        e.until('each member has 3 partitions', lambda: shared(e, *members))
        had = members[1].parts
        members[1].process.kill()
        members.append(Member(e, '-X', 'group.instance.id=two'))
        e.until('the second member is back', lambda: shared(e, members[0], members[2]))
        equal('partitions after the return', had, members[2].parts)
        fill(e, 'after')
        e.until('60 records', lambda: len(members[0].seen | members[2].seen) == 60)
    finally:
        for m in members:
            m.close()


def commit_resume(e):
    e.produce(e.name('t'), LINES)
    group = ('-G', e.name('g'), '-X', 'auto.offset.reset=earliest', '-q')
    first = e.kcat(*group, '-c', '20', e.name('t')).decode().splitlines()
    rest = e.kcat(*group, '-e', e.name('t')).decode().splitlines()
    equal('lines', LINES, first + rest)


def idempotent(e):
    lines = [f'value {i}' for i in range(5000)]
    e.produce(e.name('t'), lines, '-X', 'enable.idempotence=true', '-X', 'batch.num.messages=50', '-X', 'linger.ms=1')
    equal('lines', lines, e.consume(e.name('t')))


FILLER = b'~' * 5000  # kcat reads blocks of 4 KiB: without more after it a line would wait for the end of the input


def open_transaction(e, line):
    """A producer that holds its transaction open: kcat commits at the end of its input, and aborts when it is interrupted."""
    p = subprocess.Popen(['kcat', '-b', e.brokers, '-P', '-t', e.name('t'), '-p', '0', '-X', 'transactional.id=' + e.name('x')],
                         stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    p.stdin.write(line.encode() + b'\n' + FILLER)
    p.stdin.flush()
    e.until('the record is in the log', lambda: line in e.consume(e.name('t'), '-o', 'beginning', '-X', 'isolation.level=read_uncommitted'))
    return p


def ended(p, status):
    try:
        said = p.communicate(timeout=30)[1].decode(errors='replace')
    finally:
        p.kill()
    if (p.returncode == 0) != (status == 0):
        raise AssertionError(f'kcat ended with {p.returncode}: {said[-300:]}')


def read_both(e):
    return [' '.join(s for s in e.consume(e.name('t'), '-o', 'beginning', '-X', f'isolation.level=read_{level}') if s[0] != '~')
            for level in ('uncommitted', 'committed')]


def txn_read(e):
    own = ('-X', 'transactional.id=' + e.name('x'))
    e.produce(e.name('t'), ['a', 'b'], *own)
    p = open_transaction(e, 'c')
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=30)
    e.produce(e.name('t'), ['d'], *own)
    equal('both levels', ['a b c d', 'a b d'], read_both(e))


def txn_open(e):
    e.produce(e.name('t'), ['a'])
    p = open_transaction(e, 'b')
    e.produce(e.name('t'), ['c'])
    equal('before the end', ['a b c', 'a'], read_both(e))
    ended(p, 0)  # closes its input: the transaction is committed
    equal('after it', ['a b c', 'a b c'], read_both(e))


def txn_fenced(e):
    e.produce(e.name('t'), ['a'])
    old = open_transaction(e, 'b')
    e.produce(e.name('t'), ['c'], '-X', 'transactional.id=' + e.name('x'))
    ended(old, 1)
    equal('both levels', ['a b c', 'a c'], read_both(e))


def offsets(e):
    e.produce(e.name('t'), LINES)
    for at, want in ((-2, 0), (-1, 50), (1, 0)):
        equal(f'offset for {at}', f'{e.name("t")} [0] offset {want}', e.kcat('-Q', '-t', f'{e.name("t")}:0:{at}').decode().strip())


NO_848, NO_ADMIN = 'librdkafka 2.0.2 has no KIP-848', 'kcat has no command for it'
cases.main('kcat', {
    'metadata': metadata, **{f'codec-{c}': codec(c) for c in ('none', 'gzip', 'snappy', 'lz4', 'zstd')}, 'from-start': from_start,
    'from-timestamp': from_timestamp, 'from-end': from_end, 'out-of-range': out_of_range, 'too-large': too_large,
    'group-range': two_members('range'), 'group-roundrobin': two_members('roundrobin'),
    'group-sticky': 'librdkafka has no eager sticky assignor', 'group-cooperative': two_members('cooperative-sticky'),
    'group-static': static, 'group-kip848': NO_848, 'group-kip848-range': NO_848, 'group-kip848-regex': NO_848,
    'group-kip848-static': NO_848, 'commit-resume': commit_resume, 'idempotent': idempotent, 'txn-read': txn_read, 'txn-open': txn_open,
    'txn-fenced': txn_fenced, 'txn-offsets': 'kcat sends no offsets in a transaction', 'txn-offsets-kip848': NO_848,
    'admin-topics': NO_ADMIN, 'admin-partitions': NO_ADMIN, 'admin-configs': NO_ADMIN, 'admin-delete-records': NO_ADMIN,
    'admin-groups': NO_ADMIN, 'admin-offsets': offsets, 'admin-transactions': NO_ADMIN,
}, Env, 6)
