#!/usr/bin/env bash
# scripts/kafka/groups.sh OPTION...
# What a distribution of Kafka has as kafka-consumer-groups.sh.
set -euo pipefail

lib=$("$(dirname "$0")/install.sh")
exec java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$lib/*" \
	org.apache.kafka.tools.consumer.group.ConsumerGroupCommand "$@"
