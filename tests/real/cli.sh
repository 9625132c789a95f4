#!/bin/bash
# kafka-cli against a real cluster, beyond the round trip of a text: the go-kafka form line by line, JSON copies, groups, mistakes,
# several partitions, a leader that dies.   cli.sh KAFKA_CLUSTER KAFKA_CLI VERSION NODES
set -u
kafka=$1 cli=$2 version=$3 nodes=$4
work=$(mktemp -d)
name=cli-$$
trap '"$kafka" down --name $name >/dev/null 2>&1; rm -rf "$work"' EXIT
servers=$("$kafka" up --name $name --version "$version" --nodes "$nodes" --ttl 900) || exit 1
export KAFKAWIRE_BOOTSTRAP_SERVERS=$servers
echo "Kafka $version, $nodes node(s)"
passed=0 failed=0

result() {    # result WHAT, by the status before it
    if [ $? = 0 ]; then passed=$((passed + 1)); echo "ok      $1"; else failed=$((failed + 1)); echo "FAILED  $1"; fi
}
# expect WHAT STATUS TEXT COMMAND...: standard output must be the text, and the status as said.
expect() {
    local what=$1 status=$2 text=$3 got
    shift 3
    got=$(timeout 60 "$@" 2>"$work/err")
    local ended=$?
    if [ $ended != "$status" ] || [ "$got" != "$text" ]; then
        echo "        status $ended instead of $status, or: $got"
        sed 's/^/        /' "$work/err" | tail -n 3
        false
    fi
    result "$what"
}
# told WHAT PATTERN...: what the last command said on standard error
told() {
    local what=$1
    shift
    for p in "$@"; do grep -q -- "$p" "$work/err" || { sed 's/^/        /' "$work/err"; result "$what"; return; }; done
    true
    result "$what"
}

# The go-kafka form.
expect "-produce makes a missing topic" 0 "topic=gk partition=0 offset=0" "$cli" -produce -brokers "$servers" -topic gk -key k -value one
expect "-produce goes to partition 0" 0 "topic=gk partition=0 offset=1" "$cli" --produce --brokers="$servers" --topic=gk --value="two words"
expect "-list" 0 "gk" "$cli" -list -brokers "$servers"
example=$(dirname "$cli")/example-list_topics
if [ -x "$example" ]; then
    "$example" "$servers" 2>"$work/err" | grep -q '^gk with [0-9]* partitions$'
    result "the first example lists it too"
fi
expect "-query" 0 "TOPIC  PARTITION  LEADER  REPLICAS  IN-SYNC  OFFLINE  START  END" sh -c "'$cli' -query -brokers '$servers' -topic gk | head -n 1"
"$cli" -consume -brokers "$servers" -topic gk -group g -offset 1 >"$work/got" 2>"$work/err" &
consumer=$!
for _ in $(seq 120); do    # a new cluster makes its offsets topic first
    [ "$(wc -l <"$work/got")" -ge 2 ] && break
    sleep 0.5
done
kill -INT $consumer
wait $consumer && printf 'one\ntwo words\n' | cmp -s - "$work/got"
result "-consume -offset 1 reads from the oldest, and one SIGINT ends it with 0"
expect "-produce once more" 0 "topic=gk partition=0 offset=2" "$cli" -produce -brokers "$servers" -topic gk -value three
expect "the group goes on where it was" 0 "three" "$cli" consume gk -g g -e
expect "an offset of one's own" 0 "two words" "$cli" consume gk -o 1 -n 1

# Topics, and several partitions.
expect "topics create" 0 "" "$cli" topics create six -p 6 -r "$nodes"
expect "a topic that is there" 1 "" "$cli" topics create six
told "is said so" TOPIC_ALREADY_EXISTS hint:
expect "unknown topic" 1 "" "$cli" consume sx -e
told "is said so, with the nearest name" 'there is no topic "sx"' 'did you mean six'
awk 'BEGIN { for (i = 1; i <= 100000; i++) print i, i % 7 ? "plain" : "é 漢字", i % 5000 ? "" : sprintf("%07000d", i) }' >"$work/text"
"$cli" produce six "$work/text" -z gzip -q && "$cli" consume six -o start -e >"$work/got" && sort "$work/text" >"$work/a" && [ "$(wc -l <"$work/text")" = 100000 ] && sort "$work/got" | cmp -s - "$work/a"
result "100,000 lines over six partitions"
awk '{ print $1 % 100 ":" $0 }' "$work/text" | "$cli" produce six -K : -z lz4 -q
"$cli" consume six -o start -e -f '%k %p\n' | grep -v '^ ' | sort -u | awk '{ print $1 }' | uniq -d | grep -q .
[ $? = 1 ]
result "a key is always in one partition"

# Nothing is lost in JSON.
if [ "$version" != 0.10.2.2 ]; then
    cat >"$work/records" <<'END'
{"key":null,"value":null,"timestamp_ms":1795000000000,"headers":[]}
{"key":"","value":"","timestamp_ms":1795000000001,"headers":[{"key":"a","value":"1"},{"key":"a","value":null},{"key":"b","value_base64":"/w=="}]}
{"key_base64":"AP8=","value":"a\"b\n\té\u0000","timestamp_ms":1795000000002,"headers":[{"key":"","value":""}]}
END
    "$cli" topics create from to -p 1 -q
    "$cli" produce from --input json "$work/records" -q && "$cli" consume from -o start -e --output json | "$cli" produce to --input json -z gzip -q
    plain() { "$cli" consume "$1" -o start -e --output json | sed 's/^{"topic":"[a-z]*"//; s/,"leader_epoch".*//'; }
    plain from >"$work/a"; plain to >"$work/b"
    [ "$(wc -l <"$work/a")" = 3 ] && cmp -s "$work/a" "$work/b" && grep -q '"key_base64":"AP8="' "$work/b" && grep -q '"timestamp_ms":1795000000002' "$work/b"
    result "consume --output json | produce --input json"
fi

# Transactions, by kcat: it commits at the end of its input; killed, it leaves its transaction open, until the next of its id, which aborts it.
if [ "$version" != 0.10.2.2 ] && command -v kcat >/dev/null; then
    "$cli" topics create tx -p 1 -r "$nodes" -q
    writes() { exec kcat -P -b "$servers" -t tx -p 0 -X "transactional.id=$1" 2>>"$work/err"; }
    # left WHAT: a transaction with one record, which is in the log when its writer is killed. kcat reads by the kilobyte, so that a line
    # of its own would stay with it: the rest of a second one, without an end, follows.
    left() {
        mkfifo "$work/$1"
        writes "$1" <"$work/$1" &
        local writer=$!
        exec 7>"$work/$1"
        { echo "$1"; head -c 8192 /dev/zero | tr '\0' x; } >&7
        for _ in $(seq 60); do
            "$cli" consume tx -o start -e -q | grep -qx "$1" && break
            sleep 0.5
        done
        kill -KILL $writer
        exec 7>&-
        wait $writer 2>/dev/null
        true
    }
    echo plain | "$cli" produce tx -q
    printf 'committed 1\ncommitted 2\n' | (writes committer)
    left aborted
    echo 'committed 3' | (writes aborted)
    left open
    echo behind | "$cli" produce tx -q
    expect "consume shows all that is in the log" 0 $'plain\ncommitted 1\ncommitted 2\naborted\ncommitted 3\nopen\nbehind' "$cli" consume tx -o start -e
    expect "--read-committed ends before the open transaction" 0 $'plain\ncommitted 1\ncommitted 2\ncommitted 3' "$cli" consume tx -o start -e --read-committed
    expect "as kcat does" 0 $'plain\ncommitted 1\ncommitted 2\ncommitted 3' kcat -C -q -b "$servers" -t tx -o beginning -e -X isolation.level=read_committed
    expect "--control shows the markers" 0 $'commit\nabort\ncommit' sh -c "'$cli' consume tx -o start -e --control | sed -n 's/^\\[\\(commit\\|abort\\) of producer [0-9]*\\]\$/\\1/p'"
fi

# Groups: one whose member is kcat, then one that has none any more.
if command -v kcat >/dev/null; then
    "$cli" topics create steps -p 2 -r "$nodes" -q
    seq 10 | "$cli" produce steps -p 0 -q
    seq 5 | "$cli" produce steps -p 1 -q
    kcat -u -b "$servers" -G team -q -X auto.offset.reset=earliest steps >"$work/team" 2>"$work/err" &
    member=$!
    for _ in $(seq 120); do
        [ "$(wc -l <"$work/team")" -ge 15 ] && break
        sleep 0.5
    done
    expect "groups describe --members" 0 $'rdkafka\t2\tsteps:0,1' sh -c "'$cli' groups describe team --members --output tsv | cut -f 4,7,8"
    expect "groups seek of a group with members" 1 "" "$cli" groups seek team --to start --yes
    told "is refused, and why" "has members of its own"
    if [ "$version" != 0.10.2.2 ]; then
        expect "groups delete of a group with members" 1 "" "$cli" groups delete team --yes
        told "is refused too" NON_EMPTY_GROUP "stop them first"
    fi
    kill -TERM $member; wait $member 2>/dev/null
    expect "groups describe" 0 $'steps\t0\t10\t10\t0\nsteps\t1\t5\t5\t0' sh -c "'$cli' groups describe team --output tsv | cut -f 2-6"
    expect "groups seek only shows" 0 $'steps\t0\t10\t7\t3' "$cli" groups seek team --to -3 -t steps:0 --output tsv
    expect "groups seek --yes moves" 0 $'steps\t0\t10\t7\t3' "$cli" groups seek team --to -3 -t steps:0 --output tsv --yes
    expect "and that is where it goes on" 0 $'8\n9\n10' "$cli" consume steps -g team -e
    expect "groups list" 0 team sh -c "'$cli' groups list --names | grep -x team"
    if [ "$version" != 0.10.2.2 ]; then    # which cannot
        expect "groups delete" 0 "" "$cli" groups delete team --yes
        told "is told" 'deleted group "team"'
        expect "and it is gone" 1 "" "$cli" groups describe team
    fi
fi

# A leader that dies while lines come.
if [ "$nodes" = 3 ]; then
    "$cli" topics create moving -p 3 -r 3 -q
    (head -n 50000 "$work/text"; sleep 3; tail -n +50001 "$work/text") | "$cli" produce moving -q --timeout 60s &
    producer=$!
    sleep 2
    "$kafka" kill 2 --name $name >/dev/null
    wait $producer
    result "produce goes on when a leader dies"
    "$cli" consume moving -o start -e --timeout 60s | sort >"$work/got"; sort "$work/text" | cmp -s - "$work/got"
    result "and every line is there once"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
