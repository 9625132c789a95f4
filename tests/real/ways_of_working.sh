#!/bin/bash
# The programs of examples/4_ways_of_working on a real cluster of one node, with a listener that wants to know who somebody is.
# ways_of_working.sh KAFKA_CLUSTER FOLDER_OF_PROGRAMS RUN VERSION
set -u
kafka=$1 bin=$2 run=$3 version=$4
name=ways-$$
trap '"$kafka" down --name $name >/dev/null 2>&1' EXIT
servers=$("$kafka" up --name $name --version "$version" --nodes 1 --ttl 600 --listener LOGIN=SASL_PLAINTEXT --property listener.name.login.sasl.enabled.mechanisms=PLAIN \
    --property 'listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="alicepassword" user_bob="bobpassword" user_my-username="my-password";') || exit 1
echo "Kafka $version, up after $SECONDS s"
"$run" "$bin" "$servers" "$("$kafka" bootstrap LOGIN --name $name)"
status=$?
echo "$SECONDS s in all"
exit $status
