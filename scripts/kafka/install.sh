#!/usr/bin/env bash
# scripts/kafka/install.sh
# Gets Apache Kafka (pom.xml says which) into the cache and prints the directory
# of its jars. Does nothing when it is there; may run several times at once.
# Installs Java and Maven where they are missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/cache.sh

# copy_jars DIR
copy_jars() {
	command -v mvn >/dev/null || scripts/apt.sh maven
	mvn -q -B -ntp -f scripts/kafka/pom.xml dependency:copy-dependencies \
		-DoutputDirectory="$1" -DincludeScope=runtime >&2
}

lib=$ODIN_CACHE/kafka/$(sha256sum scripts/kafka/pom.xml | cut -c 1-16)
command -v java >/dev/null || scripts/apt.sh default-jre-headless
once kafka "$lib" copy_jars
echo "$lib"
