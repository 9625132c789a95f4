#!/bin/bash
# Runs the programs that the five documents have, each against what the others have written.   run.sh FOLDER_OF_PROGRAMS [BROKERS SECURED]
# SECURED: brokers that want SASL_PLAINTEXT with PLAIN, of the document's alice and bob (their passwords are their names and "password"), and of
# my-username with my-password. Without brokers: on embedded clusters.
set -u
bin=$1 here=$(dirname "$0")
work=$(mktemp -d)
clusters=
trap '[ -n "$clusters" ] && kill $clusters; rm -rf "$work"' EXIT
# embedded NAME OPTION...: a cluster of its own; where it is, is in $address then
embedded() {
    "$bin/kafka-cli" broker --port 0 "${@:2}" >"$work/$1" 2>&1 &
    clusters="$clusters $!"
    for _ in $(seq 100); do
        address=$(grep -oE '(127\.0\.0\.1|localhost):[0-9]+' "$work/$1" | head -n 1)
        [ -n "$address" ] && return
        sleep 0.1
    done
    echo "no embedded cluster:"; cat "$work/$1"
    exit 1
}
brokers=${2:-} secured=${3:-}
if [ -z "$brokers" ]; then
    embedded plain && brokers=$address
    printf 'alice:alicepassword\nbob:bobpassword\nmy-username:my-password\n' >"$work/users"
    embedded sasl --users "$work/users" --mechanism plain && secured=$address
fi
printf 'alicepassword\n' >"$work/password"
passed=0 failed=0
result() {    # result WHAT, by the status before it
    if [ $? = 0 ]; then passed=$((passed + 1)); echo "ok      $1"; else failed=$((failed + 1)); echo "FAILED  $1"; fi
}
# says FILE PATTERN...: all of them are in it, within half a minute
says() {
    local file=$work/$1 p
    shift
    for p in "$@"; do
        for _ in $(seq 300); do
            grep -qE -- "$p" "$file" && continue 2
            sleep 0.1
        done
        echo "        no '$p' in:"; tail -n 5 "$file" | sed 's/^/        /'
        return 1
    done
}
program() { timeout 100 "$bin/example-$1" "${@:2}" >"$work/$1" 2>"$work/$1.err" || { tail -n 3 "$work/$1.err"; return 1; }; }
background() { "$bin/example-$1" "${@:2}" >"$work/$1" 2>"$work/$1.err" & }
# A program that was asked to stop ends well.
stops() { kill -TERM "$1" && wait "$1"; }

# topics OPTIONS NAME:PARTITIONS...: those that are not there yet
topics() {
    local t
    for t in "${@:2}"; do
        "$bin/kafka-cli" topics create "${t%:*}" --partitions "${t#*:}" $1 >"$work/create" 2>&1 || grep -q TOPIC_ALREADY_EXISTS "$work/create" || { cat "$work/create"; exit 1; }
    done
}
topics "--brokers $brokers" sre-infra-test:3 k8s-log-test-output-stdout:3 test_topic:1 example-topic:2 orders:2 orders-dead:1 side-by-side:1
topics "--brokers $secured --security-protocol sasl_plaintext --sasl-mechanism plain --sasl-username alice --sasl-password-file $work/password" test:3 example-topic:2

# ekafka
program ekafka_producer_consumer "$here/ekafka_producer_consumer.toml" "$brokers" && says ekafka_producer_consumer "produce message succ" "received: Hello World!" "received: One!" "received: Two!"
result "ekafka: a component's producer and consumer"
background ekafka_consumer_server "$here/ekafka_consumer_server.toml" "$brokers"
server=$!
"$bin/kafka-cli" produce sre-infra-test --brokers "$brokers" <<<"a late one" >/dev/null 2>&1
says ekafka_consumer_server "got a message: a late one" && stops $server && says ekafka_consumer_server "stopped, [1-9][0-9]* handled"
result "ekafka: a consumer server that is stopped by a signal"

# go-kafka
topic=k8s-log-test-output-stdout
background go_kafka_consumer "$brokers" $topic consumer_example oldest
consumer=$!
background go_kafka_sync_producer "$brokers" $topic
first=$!
background go_kafka_async_producer "$brokers" $topic
second=$!
says go_kafka_sync_producer "success partition=[0-2] offset=[0-9]+" && says go_kafka_async_producer "sent [A-Z]{16} partition=[0-2] offset=[0-9]+" && stops $first && stops $second && says go_kafka_async_producer "^0 left"
result "go-kafka: producers that wait, and do not"
says go_kafka_consumer '"topic":"k8s-log-test-output-stdout","partition":[0-2],"offset":[0-9]+,"key":"[A-Z]{16}","value":"[A-Z]{64}"' && stops $consumer && says go_kafka_consumer "Consumer stop successfuly"
result "go-kafka: a consumer with its streams"

# confluent
program confluent_producer "$secured" test alice alicepassword && says confluent_producer "Delivered message to test\[[0-2]\]@6" "0 left, 1 report for me alone"
result "confluent: delivery reports and flush"
program confluent_consumer "$secured" test 8 bob bobpassword && says confluent_consumer "AssignedPartitions: 3" "Message on test\[[0-2]\]@0: Welcome" "for me alone" "RevokedPartitions: 3" &&
    program confluent_consumer "$secured" test 8 bob bobpassword && says confluent_consumer "@0: Welcome"
result "confluent: a rebalance callback that begins at 0 each time"
"$bin/example-confluent_consumer" "$secured" test 1 bob alicepassword >"$work/refused" 2>&1 &
consumer=$!
says refused "Consumer error: .*does not believe us" && kill $consumer
result "confluent: a wrong password is told"

# tRPC
program trpc_producer "$here/trpc_producer.yaml" "$brokers" && says trpc_producer "sent, partition=0 offset=1" "succ: test_topic async" "^0 left"
result "tRPC: producers by address, with callbacks"
background trpc_consumer "$here/trpc_consumer.yaml" "$brokers"
consumer=$!
says trpc_consumer "consumer1: value, trace 7f, generation [0-9]+, InitialOffset 0" "consumer2: a message of its own" "consumer1: value, trace none" && stops $consumer
result "tRPC: two services, one of them under a made-up address"
background trpc_batch_consumer "$brokers?topics=test_topic&group=batches&initial=oldest&batch=3&batchFlush=500"
consumer=$!
says trpc_batch_consumer "batch of 3 from test_topic-0 @ 0" && stops $consumer
result "tRPC: batches"
"$bin/example-trpc_batch_consumer" "$brokers?topics=test_topic&group=batches" >/dev/null 2>"$work/refused"
[ $? = 1 ] && says refused "batch is 0"
result "tRPC: a batch handler without batch is refused at start"

background trpc_handler "$here/trpc_handler.yaml" "$brokers"
consumer=$!
# Its group is new, and begins behind what is there.
for _ in $(seq 60); do
    "$bin/kafka-cli" produce test_topic --brokers "$brokers" <<<"for all services" >/dev/null 2>&1
    grep -q "got for all services from test_topic-0" "$work/trpc_handler" && break
    sleep 0.2
done
says trpc_handler "got for all services from test_topic-0" && stops $consumer
result "tRPC: one handler for all services"

# kafka-go
program kafka_go_writer_reader "$brokers" example-topic && says kafka_go_writer_reader "2 written" "value = Hello Kafka!" "value = Another Message"
result "kafka-go: writer and reader"
# More than the 10 KB that it waits for.
seq -f '%0100.0f' 200 | "$bin/kafka-cli" produce example-topic -p 0 --brokers "$brokers" >/dev/null 2>&1
program kafka_go_reader "$brokers" example-topic 5 && says kafka_go_reader "Message at offset [0-9]+: key = , value = 0{99}1" "value = 0{99}5"
result "kafka-go: a reader that commits by itself"
program kafka_go_tuned "$secured" example-topic my-username my-password && says kafka_go_tuned "[3-9] read by two"
result "kafka-go: hash, gzip, a dialer that logs in, readers side by side"

# Of none of them: what after the last try
program handlers "$brokers" orders orders-dead && says handlers "billed: paid" "cannot be billed, try 3" "stopped, 1 dead letter"
result "handlers: three tries, then a dead letter"

# The README's table
sed "s/^brokers = .*/brokers = [\"${brokers//,/\",\"}\"]/" "$here/side_by_side.toml" >"$work/side_by_side.toml"
program side_by_side "$work/side_by_side.toml" && says side_by_side "ekafka: Hello" "go-kafka: sent to 0 at 2" "go-kafka: Hello" "confluent: Hello" "tRPC-Go: Hello" "kafka-go: Hello"
result "all five side by side"

echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed = 17 ]
