"""Runs the cases of one client and prints one line for each: PASS, FAIL or NOT-RUN, the client, the case, a detail."""
import concurrent.futures
import os
import sys
import threading
import time

LIMIT = 60.0  # seconds for one case


class Env:
    """What a case gets: where the broker is, names that nobody else uses, and a word for the result's line."""

    def __init__(self, brokers, prefix):
        self.brokers, self.prefix, self.said, self.client = brokers, prefix, '', None
        self.deadline = time.monotonic() + LIMIT - 2

    def name(self, s):
        return f'{self.prefix}-{s}'

    def late(self):
        return time.monotonic() > self.deadline

    def until(self, what, test):
        while not test():
            if self.late():
                raise AssertionError(f'did not come: {what}')
            time.sleep(0.02)


def equal(what, want, got):
    if want != got:
        raise AssertionError(f'{what}: {got!r:.300} instead of {want!r:.300}')


def where(x):
    """The line of the case, not of what it called."""
    at, line = x.__traceback__, 0
    while at:
        if os.path.dirname(at.tb_frame.f_code.co_filename) == os.path.dirname(__file__):
            line = at.tb_lineno
        at = at.tb_next
    return line


def one(client, name, case, make_env):
    """A case is a function of the environment, or the reason why the client cannot do it."""
    if isinstance(case, str):
        return f'NOT-RUN {client} {name} {case}'
    env, began, ended = make_env(), time.monotonic(), []  # its time begins with it

    def run():
        try:
            case(env)
            ended.append(None)
        except AssertionError as x:
            ended.append(str(x) or f'line {where(x)}')
        except BaseException as x:  # whatever it is, it is this case's failure
            ended.append(f'{x!r} at line {where(x)}')
    t = threading.Thread(target=run, daemon=True)
    t.start()
    t.join(LIMIT)
    failure = ended[0] if ended else f'no end after {LIMIT:.0f} s'
    took = f'{time.monotonic() - began:.1f}s'
    if failure is None:
        return f'PASS {client} {name} {took} {env.said}'
    return f'FAIL {client} {name} {took} {failure}' + (f' (last: {env.said})' if env.said else '')


def main(client, cases, make_env, at_once):
    if len(sys.argv) < 3:
        sys.exit(f'usage: {sys.argv[0]} BOOTSTRAP PREFIX [CASE...]')
    names = [n for n in cases if not sys.argv[3:] or n in sys.argv[3:]]
    good = True
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        runs = [pool.submit(one, client, n, cases[n], lambda n=n: make_env(sys.argv[1], f'{sys.argv[2]}-{client}-{n}')) for n in names]
        for f in concurrent.futures.as_completed(runs):
            line = f.result().replace('\n', ' ')
            good = good and not line.startswith('FAIL')
            print(line, flush=True)
    os._exit(0 if good else 1)  # a case that hangs must not keep the process
