#!/bin/sh
# Every fuzz target takes all of its corpus: the programs in $BUILD/fuzz
# (`make replay`) run it once, without a fuzzer.

set -u
cd "$(dirname "$0")/../.."

set -- test/fuzz/*.c
[ -e "$1" ] || { echo '1..0 # SKIP there are no fuzz targets'; exit 0; }
echo "1..$#"
failed=0 count=0
for source; do
	name=$(basename "$source" .c)
	count=$((count + 1))
	if said=$("${BUILD:-build/plain}/fuzz/$name" \
	    test/fuzz/corpus/"$name"/* 2>&1)
	then
		echo "ok $count - $name"
	else
		failed=1
		echo "not ok $count - $name"
		echo "$said" | tail -n 60 | sed 's/^/# /'
	fi
done
exit $failed
