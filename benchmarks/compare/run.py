#!/usr/bin/env python3
"""Runs Kafka clients at the same jobs on one broker, in turn, and prints medians, ratios and bars. `scripts/bench` does the set-up.

Each client is a program that does one job and prints one line of JSON (README.md beside this). In each round all clients of a case run one
after the other on a new topic; the order turns with the rounds, so that none always comes after the same neighbour. Medians are over the rounds.
"""
import argparse
import datetime
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys

# name: codec, size, partitions, part of --records, keys, bar for the CPU ratio with delivery told per batch
CASES = {
    "none-100": dict(codec="none", size=100, partitions=6, share=1, keys=0, bar=0.30, bars={"kafkawire-record": 0.45, "kafkawire-front": 0.45}),
    "lz4-100": dict(codec="lz4", size=100, partitions=6, share=1, keys=0, bar=0.35, bars={}),
    "zstd-100": dict(codec="zstd", size=100, partitions=6, share=1, keys=0, bar=0.55, bars={}),
    "none-1k": dict(codec="none", size=1000, partitions=6, share=4, keys=0, bar=0.55, bars={}),
    "none-100-p1000": dict(codec="none", size=100, partitions=1000, share=1, keys=0, bar=0.40, bars={}),
    "none-100-p1000-keyed": dict(codec="none", size=100, partitions=1000, share=8, keys=10000, bar=0.40, bars={}),
    "read-none": dict(op="consume", codec="none", size=100, partitions=6, share=1, keys=0, bar=0.30, bars={}, throughput=2.5),
    "read-lz4": dict(op="consume", codec="lz4", size=100, partitions=6, share=1, keys=0, bar=0.30, bars={}, throughput=2.5),
    "read-none-p1000": dict(op="consume", codec="none", size=100, partitions=1000, share=1, keys=10000, bar=0.30, bars={}),
    "latency": dict(op="latency", codec="none", size=100, partitions=6, keys=0),
    "rate": dict(op="rate", codec="none", size=100, partitions=6, keys=0),
}
OURS = {
    "kafkawire": ["--delivery", "batch"],
    "kafkawire-record": ["--delivery", "record"],
    "kafkawire-front": ["--through", "front"],
}
# Readers: one by hand, and members of a group of one.
READERS = {
    "kafkawire": [],
    "kafkawire-group": ["--protocol", "classic"],
    "kafkawire-group-848": ["--protocol", "consumer"],
}
# Which of ours take part in which case: the others differ from the first by the same cost per record everywhere.
ROWS = {"none-100": list(OURS), "none-1k": ["kafkawire", "kafkawire-record"], "read-none": list(READERS)}
PEERS = ("librdkafka", "librdkafka-batch", "franz-go")  # the bars are ratios to the best of these


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--brokers", required=True)
    p.add_argument("--bin", required=True, help="where kafka-cli and bench-floor are")
    p.add_argument("--values", required=True, help="folder of values-100.txt and values-1000.txt")
    p.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--records", type=int, default=2_000_000)
    p.add_argument("--latency-records", type=int, default=5_000)
    p.add_argument("--rate", type=int, default=1_000, help="records a second in the case `rate`")
    p.add_argument("--warmup", type=float, default=1.0, help="seconds before the clock starts (Java: five times that)")
    p.add_argument("--cases", default=",".join(CASES))
    p.add_argument("--clients", default="", help="only these; default: all")
    p.add_argument("--out", required=True, help="JSON lines are written here")
    return p.parse_args()


class Bench:
    def __init__(self, a):
        self.a = a
        self.cli = os.path.join(a.bin, "kafka-cli")
        self.peers = dict(p.split("=", 1) for p in a.peer)
        self.only = a.clients.split(",") if a.clients else None
        self.out = open(a.out, "w")
        self.topics = self.groups = 0
        self.trouble = []

    def clients_of(self, name):
        case = CASES[name]
        names = list(self.peers)
        if case.get("op") == "consume":
            names = [n for n in names if n not in ("librdkafka-batch", "java")]
        elif case.get("op"):
            names = [n for n in names if n != "librdkafka-batch"]
        elif name not in ("none-100-p1000", "none-100-p1000-keyed"):
            names.append("floor")  # it sends a batch per request: a thousand partitions would be no floor
        names = ROWS.get(name, ["kafkawire"]) + names
        return [n for n in names if self.only is None or n in self.only]

    def records(self, case):
        return self.a.latency_records if case.get("op") in ("latency", "rate") else max(1, self.a.records // case["share"])

    def command(self, client, case, topic):
        a, n, op = self.a, self.records(case), case.get("op", "produce")
        values = os.path.join(a.values, f"values-{case['size']}.txt")
        if op == "consume":
            if client in READERS:
                words = [self.cli, "-q", "bench", "consume", topic, "--brokers", a.brokers, "--records", str(n), "--json"]
                if READERS[client]:
                    self.groups += 1
                    words += ["-g", f"bench-{os.getpid()}-{self.groups}", *READERS[client]]
                return words
            return shlex.split(self.peers[client]) + ["op=consume", f"brokers={a.brokers}", f"topic={topic}", f"records={n}", f"partitions={case['partitions']}"]
        if client == "floor":
            return [os.path.join(a.bin, "bench-floor"), a.brokers, case["codec"], str(n), "1000000", str(case["partitions"]), values]
        if client in OURS:
            words = [self.cli, "-q", "bench", "produce" if op == "produce" else "latency", topic, "--brokers", a.brokers, "--records", str(n),
                     "--payload", values, "--compression", case["codec"], "--warmup", f"{a.warmup}s", "--json"]
            if op == "produce":
                words += ["--linger", "5ms"] + OURS[client]
            if op == "rate":
                words += ["--rate", str(a.rate)]
            if case["keys"]:
                words += ["--key-space", str(case["keys"])]
            return words
        warmup = a.warmup * 5 if client == "java" else a.warmup
        return shlex.split(self.peers[client]) + [f"op={op}", f"brokers={a.brokers}", f"topic={topic}", f"records={n}", f"values={values}",
                                                  f"codec={case['codec']}", f"keys={case['keys']}", f"rate={a.rate}", f"warmup={warmup}"]

    def topic(self, verb, name, *more):
        r = subprocess.run([self.cli, "-q", "topics", verb, name, "--brokers", self.a.brokers, *more], capture_output=True, text=True)
        if r.returncode != 0:
            sys.exit(f"cannot {verb} topic {name}: {r.stderr.strip()}")

    def filled(self, name):
        """A topic with the records of a case in it, for those who read; all of them read the same."""
        case = CASES[name]
        self.topics += 1
        topic = f"bench-{os.getpid()}-{self.topics}"
        self.topic("create", topic, "--partitions", str(case["partitions"]))
        words = [self.cli, "-q", "bench", "produce", topic, "--brokers", self.a.brokers, "--records", str(self.records(case)),
                 "--payload", os.path.join(self.a.values, f"values-{case['size']}.txt"), "--compression", case["codec"], "--linger", "100ms", "--json"]
        if case["keys"]:
            words += ["--key-space", str(case["keys"])]
        r = subprocess.run(words, capture_output=True, text=True, timeout=600)
        if r.returncode != 0:
            sys.exit(f"cannot fill {topic}: {r.stderr.strip()}")
        return topic

    def run(self, client, name, number, filled=None):
        case = CASES[name]
        self.topics += 1
        topic = filled or f"bench-{os.getpid()}-{self.topics}"
        own_topic = client != "floor" and not filled  # the floor makes its own
        if own_topic:
            self.topic("create", topic, "--partitions", str(case["partitions"]))
        try:
            r = subprocess.run(self.command(client, case, topic), capture_output=True, text=True, timeout=600)
            line = next((x for x in r.stdout.splitlines() if x.startswith("{")), None)
            why = None if line and r.returncode == 0 else f"exit status {r.returncode}: {(r.stderr or r.stdout).strip()[-300:]}"
        except subprocess.TimeoutExpired:
            line, why = None, "not done after 600 s"
        if own_topic:
            self.topic("delete", topic, "--yes")
        if why:
            self.trouble.append(f"{name}, {client}, round {number}: {why}")
            print(f"  {self.trouble[-1]}", file=sys.stderr)
            return None
        row = json.loads(line)
        if client == "floor":
            row = dict(client="floor", op="produce", n=row["records"], size=case["size"], cpu_us_per_msg=row["cpu_us_per_record"],
                       msgs_s=round(1e6 / row["wall_us_per_record"]), failed=0)
        row.update(client=client, case=name, round=number)
        self.out.write(json.dumps(row) + "\n")
        self.out.flush()
        return row

    def case(self, name):
        clients = self.clients_of(name)
        rows = {c: [] for c in clients}
        filled = self.filled(name) if CASES[name].get("op") == "consume" else None
        for number in range(self.a.rounds):
            at = number % len(clients) if clients else 0
            for c in clients[at:] + clients[:at]:
                print(f"\r{name}: round {number + 1} of {self.a.rounds}, {c}".ljust(78), end="", file=sys.stderr, flush=True)
                row = self.run(c, name, number + 1, filled)
                if row:
                    rows[c].append(row)
        print("\r".ljust(80) + "\r", end="", file=sys.stderr)
        if filled:
            self.topic("delete", filled, "--yes")
        return {c: medians(r) for c, r in rows.items() if r}


def medians(rows):
    keys = [k for k in ("cpu_us_per_msg", "msgs_s", "rss_mb", "p50_us", "p99_us", "p999_us") if all(k in r for r in rows)]
    m = {k: statistics.median(r[k] for r in rows) for k in keys}
    m["spread"] = (min(r["cpu_us_per_msg"] for r in rows), max(r["cpu_us_per_msg"] for r in rows))
    m["rounds"] = len(rows)
    m["version"] = rows[0].get("version", "")
    return m


def best(results, key, smallest=True):
    found = [results[p][key] for p in PEERS if p in results and key in results[p]]
    return (min if smallest else max)(found) if found else None


def verdict(ok):
    return "met" if ok else "MISSED"


def judge_throughput(name, results, bars):
    """The bars of a case, as (sentence, met)."""
    case = CASES[name]
    cpu, rate, rss = best(results, "cpu_us_per_msg"), best(results, "msgs_s", False), best(results, "rss_mb")
    limits = {"kafkawire": case["bar"], **case["bars"]}
    for c, limit in limits.items():
        if c in results and cpu:
            r = results[c]["cpu_us_per_msg"] / cpu
            bars.append((f"{name}: {c} CPU per record {r:.2f} of the best peer, bar {limit:.2f}", r <= limit))
    if "kafkawire" in results and rate:
        r, wanted = results["kafkawire"]["msgs_s"] / rate, case.get("throughput", 1)
        bars.append((f"{name}: throughput {r:.2f} of the best peer, bar {wanted:.2f}", r >= wanted))
    if "kafkawire" in results and rss and "rss_mb" in results["kafkawire"]:
        ours = results["kafkawire"]["rss_mb"]
        bars.append((f"{name}: peak memory {ours:.0f} MB, the smallest peer's {rss:.0f}", ours <= rss))
    for c in READERS:
        if c != "kafkawire" and c in results and "kafkawire" in results:
            r = results[c]["cpu_us_per_msg"] / results["kafkawire"]["cpu_us_per_msg"]
            bars.append((f"{name}: {c} CPU per record {r:.2f} of one that is assigned by hand, bar 1.05", r <= 1.05))


def judge_latency(name, results, bars):
    if name == "latency" and "kafkawire" in results and "librdkafka" in results:
        ours, theirs = results["kafkawire"]["p50_us"], results["librdkafka"]["p50_us"]
        bars.append((f"{name}: p50 {ours:.0f} us, librdkafka {theirs:.0f}", ours <= theirs))


def show(name, results, bench):
    case = CASES[name]
    n = bench.records(case)
    keys = f", {case['keys']} keys" if case["keys"] else ""
    print(f"\n### {name}: {n:,} records of {case['size']} bytes, {case['codec']}, {case['partitions']} partitions{keys}"
          + (f", {bench.a.rate} a second" if name == "rate" else ", one at a time" if name == "latency" else "") + "\n")
    cpu, rate = best(results, "cpu_us_per_msg"), best(results, "msgs_s", False)
    if case.get("op") in ("latency", "rate"):
        print("| client | p50 us | p99 us | p99.9 us | CPU us/record |\n| --- | --- | --- | --- | --- |")
        for c, m in results.items():
            print(f"| {c} {m['version']} | {m['p50_us']:.0f} | {m['p99_us']:.0f} | {m['p999_us']:.0f} | {m['cpu_us_per_msg']:.1f} |")
        return
    print("| client | CPU us/record | least to most | of the best peer | records/s | of the best peer | peak MB |\n| --- | --- | --- | --- | --- | --- | --- |")
    for c, m in results.items():
        rss = f"{m['rss_mb']:.0f}" if "rss_mb" in m else ""
        print(f"| {c} {m['version']} | {m['cpu_us_per_msg']:.3f} | {m['spread'][0]:.3f} to {m['spread'][1]:.3f} | "
              f"{m['cpu_us_per_msg'] / cpu:.2f} | {m['msgs_s']:,.0f} | {m['msgs_s'] / rate:.2f} | {rss} |" if cpu else
              f"| {c} {m['version']} | {m['cpu_us_per_msg']:.3f} | {m['spread'][0]:.3f} to {m['spread'][1]:.3f} | | {m['msgs_s']:,.0f} | | {rss} |")


def environment():
    model = next((x.split(":", 1)[1].strip() for x in open("/proc/cpuinfo") if x.startswith("model name")), platform.machine())
    return dict(cpu=model, cores=os.cpu_count(), kernel=platform.release(), load=[round(x, 2) for x in os.getloadavg()],
                time=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"))


def main():
    a = arguments()
    bench = Bench(a)
    env = environment()
    bench.out.write(json.dumps(dict(environment=env, rounds=a.rounds, records=a.records)) + "\n")
    print(f"{env['cpu']}, {env['cores']} cores, Linux {env['kernel']}, load {env['load'][0]} at the start; medians of {a.rounds} rounds; "
          f"warm-up {a.warmup:g} s (Java {5 * a.warmup:g} s), in no figure")
    bars = []
    for name in a.cases.split(","):
        if name not in CASES:
            sys.exit(f"there is no case {name}; there are {', '.join(CASES)}")
        results = bench.case(name)
        show(name, results, bench)
        (judge_latency if CASES[name].get("op") in ("latency", "rate") else judge_throughput)(name, results, bars)
        bench.out.write(json.dumps(dict(case=name, medians=results)) + "\n")
        sys.stdout.flush()
    print(f"\nload {os.getloadavg()[0]:.2f} at the end; every line: {a.out}")
    if bars:
        print(f"\nBars: {sum(ok for _, ok in bars)} met, {sum(not ok for _, ok in bars)} missed")
        for text, ok in bars:
            print(f"- {verdict(ok)}: {text}")
    if bench.trouble:
        print("\nNot counted, because they failed:\n" + "\n".join(bench.trouble))
    return 1 if bench.trouble else 0


if __name__ == "__main__":
    sys.exit(main())
