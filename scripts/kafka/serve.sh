#!/usr/bin/env bash
# Runs one Kafka broker until it is told to end: serve.sh DIR [FORMAT-OPTION...]
#
# DIR holds server.properties and gets all else; if it has none, one is made
# for a lone broker on 127.0.0.1:9092 (PORT and CONTROLLER_PORT say otherwise).
# The process becomes Java's, so that its id is the broker's. FORMAT-OPTIONs
# go to kafka-storage format at the first start (--add-scram …).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
lib=$("$here/install.sh")
dir=${1:?directory of the broker}
shift
mkdir -p "$dir"
cd "$dir"

if [ ! -e server.properties ]; then
	port=${PORT:-9092}
	controller=${CONTROLLER_PORT:-9093}
	cat >server.properties <<-END
		process.roles=broker,controller
		node.id=1
		controller.quorum.voters=1@127.0.0.1:$controller
		listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
		controller.listener.names=CONTROLLER
		inter.broker.listener.name=PLAINTEXT
		log.dirs=$PWD/log
		offsets.topic.replication.factor=1
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		share.coordinator.state.topic.replication.factor=1
		share.coordinator.state.topic.min.isr=1
	END
fi
if [ ! -e formatted ]; then
	java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$lib/*" kafka.tools.StorageTool \
		format -t "${CLUSTER_ID:-b2RpbnRlc3RzY2x1c3Rlcg}" -c server.properties "$@"
	touch formatted
fi
exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
	-Dorg.slf4j.simpleLogger.showDateTime=true \
	-cp "$lib/*" kafka.Kafka server.properties
