#!/bin/sh
# Ranks over MPI on this machine: every collective, agreed and lone errors, a killed and a stopped rank.  mpi_ranks_test.sh CHECK
check=$1
command -v mpirun >/dev/null || { echo "SKIP: no mpirun"; exit 77; }
export SLUICE_RANK_TIMEOUT=3
export OMPI_MCA_btl_vader_single_copy_mechanism=none  # containers often forbid the one it tries first
err=$(mktemp) || exit 1
trap 'rm -f "$err"' EXIT
bad=0

# try MODE EXIT-CODES SECONDS ERROR-LINE: runs the mode on 3 ranks and compares; an empty line means none may be said.
try() {
  begin=$(date +%s)
  timeout 60 mpirun --allow-run-as-root --oversubscribe -n 3 "$check" "$1" 2>"$err"
  rc=$?
  took=$(($(date +%s) - begin))
  lines=$(grep -c '^sluice: error: ' "$err")
  why=
  case " $2 " in *" $rc "*) ;; *) why="exit $rc, not $2" ;; esac
  [ "$took" -le "$3" ] || why="$why; took $took s"
  if [ -n "$4" ]; then
    grep -qx "sluice: error: $4" "$err" || why="$why; did not say '$4'"
    [ "$lines" -eq 1 ] || why="$why; $lines error lines"
  else
    [ "$lines" -eq 0 ] || why="$why; said $(grep '^sluice: error: ' "$err" | head -1)"
  fi
  if [ -n "$why" ]; then echo "FAIL $1: $why"; cat "$err"; bad=1; else echo "ok $1 (exit $rc, $took s)"; fi
}

lost="rank 2: no sign of life for 3 s; see that every machine of the run is up, then run the same command again"
try collectives 0 30 ""
try defaults 0 60 ""
try agreed 3 10 "row 7: it is not a number; mend it"
try lone 3 15 "row 7: it is not a number; mend it"
try last 3 15 "row 7: it is not a number; mend it"
try unwound 70 15 ""
try kill "9 137" 20 ""
try stop 9 20 "$lost"
try stop-busy 9 20 "$lost"
exit $bad
