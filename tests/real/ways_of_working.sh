#!/bin/bash
# The programs of examples/4_ways_of_working on a real cluster of one node.   ways_of_working.sh KAFKA_CLUSTER FOLDER_OF_PROGRAMS RUN VERSION
set -u
kafka=$1 bin=$2 run=$3 version=$4
name=ways-$$
trap '"$kafka" down --name $name >/dev/null 2>&1' EXIT
servers=$("$kafka" up --name $name --version "$version" --nodes 1 --ttl 600) || exit 1
echo "Kafka $version"
"$run" "$bin" "$servers"
