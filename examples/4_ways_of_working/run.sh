#!/bin/bash
# Runs the programs that the five documents have, each against what the others have written.   run.sh FOLDER_OF_PROGRAMS [BROKERS]
# Without brokers: on an embedded cluster.
set -u
bin=$1 here=$(dirname "$0")
work=$(mktemp -d)
cluster=
trap '[ -n "$cluster" ] && kill $cluster; rm -rf "$work"' EXIT
brokers=${2:-}
if [ -z "$brokers" ]; then
    "$bin/kafka-cli" broker --port 0 >"$work/broker" 2>&1 &
    cluster=$!
    for _ in $(seq 100); do
        brokers=$(grep -oE '(127\.0\.0\.1|localhost):[0-9]+' "$work/broker" | head -n 1)
        [ -n "$brokers" ] && break
        sleep 0.1
    done
fi
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

for t in sre-infra-test:3 k8s-log-test-output-stdout:3 test:3 test_topic:1 example-topic:2; do
    "$bin/kafka-cli" topics create "${t%:*}" --partitions "${t#*:}" --brokers "$brokers" >/dev/null 2>&1 || exit 1
done

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
program confluent_producer "$brokers" test && says confluent_producer "Delivered message to test\[[0-2]\]@6" "0 left, 1 report for me alone"
result "confluent: delivery reports and flush"
program confluent_consumer "$brokers" test 8 && says confluent_consumer "AssignedPartitions: 3" "Message on test\[[0-2]\]@0: Welcome" "for me alone" "RevokedPartitions: 3" &&
    program confluent_consumer "$brokers" test 8 && says confluent_consumer "@0: Welcome"
result "confluent: a rebalance callback that begins at 0 each time"

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

# kafka-go
program kafka_go_writer_reader "$brokers" example-topic && says kafka_go_writer_reader "2 written" "value = Hello Kafka!" "value = Another Message"
result "kafka-go: writer and reader"
program kafka_go_tuned "$brokers" example-topic && says kafka_go_tuned "[3-9] read by two"
result "kafka-go: hash, gzip, readers side by side"

echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed = 12 ]
