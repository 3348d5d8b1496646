#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# churn: promises 2 and 5: a name is renamed over by plain files and containers of one size in a loop, under readers.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
"$DFS_BUILD/tests/tools/make_pair" --params 400000 --hidden 256 --vocab 512 --seed 2 other >/dev/null
mkdir v
cp orig/tune/model.safetensors v/1
cp other/tune/model.safetensors v/2
cp other/base/model.safetensors v/3
touch -d '2026-01-01 00:00:00.5' v/*
mkdir store/churn && cp -p v/1 store/churn/file
cp -p v/1 store/churn/c1 && cp -p v/2 store/churn/c2
deltafsctl encode store/churn/c1 store/churn/c2 >/dev/null || fail "encode"
touch -r v/1 store/churn/c1 store/churn/c2
start_daemon store mnt
hammer_start 6 mnt/churn/file v/1 v/2 v/3
end=$((SECONDS + 6)) rounds=0
while [ $SECONDS -lt $end ]; do
	for next in v/2 store/churn/c1 v/3 store/churn/c2 v/1; do
		cp -a $next store/churn/.next && mv store/churn/.next store/churn/file
		sleep 0.0$((RANDOM % 10))
	done
	rounds=$((rounds + 1))
done
hammer_end
echo "$rounds rounds of five versions"
[ "$right" -gt 50 ] && [ "$rounds" -gt 3 ] || fail "too little happened"
settled() { cmp -s mnt/churn/file v/1; }
retry 5 settled || fail "the last version does not show"
alive
stop_daemon mnt
