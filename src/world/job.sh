# The supervisor of one job: sh -c <this text> baton-job <folder of the attempt> <command> <arguments...>
# POSIX only; needs setsid around it, and flock, mkdir and sync. Answers one word on standard output: `claimed` when
# the job is certain to be ours and on record, `taken` when it was started before. No word: nothing was started.
#
#   <folder>.lock    locked before the folder is made and until we die: who finds the folder but no lock and no
#                    exit record knows that we died
#   <folder>         its making is the claim: mkdir succeeds once, however often a start is sent
#     started        "<boot id> <our process id, which is also the session and the process group>"
#     out, err       what the command wrote
#     exit           blank, then "exit <code>", always 17 bytes: a full disk cannot prevent it

dir=$1
shift
parent=${dir%/*}
[ -d "$parent" ] || mkdir -p -m 700 "$parent" || exit 1
[ -d "$dir" ] && { echo taken; exit 0; }

exec 9>>"$dir.lock"
flock -n 9
case $? in
    0) ;;
    1) echo taken; exit 0 ;;
    *) echo 'flock of util-linux is needed' >&2; exit 1 ;;
esac
mkdir -m 700 "$dir" || { [ -d "$dir" ] && echo taken; exit 0; }

trap : HUP INT TERM     # a signal to the group is for the command; our part is to record how it ended
printf '%16s\n' '' >"$dir/exit"
read -r boot </proc/sys/kernel/random/boot_id || boot=
echo "$boot $$" >"$dir/started"
exec 3>"$dir/out" 4>"$dir/err"
# A claim that a power cut could undo would let the job be started twice.
sync "$dir/started" "$dir" "$parent" "${parent%/*}" || exit 1

trap '' PIPE            # the runner may have died meanwhile; the job is on record and goes on
echo claimed
trap - PIPE
exec </dev/null >/dev/null 2>&1

# `exec` runs the program of that name, never a builtin. What it leaves behind must not hold our lock.
(exec "$@") >&3 2>&4 3>&- 4>&- 9>&-
printf 'exit %-11s\n' "$?" 1<>"$dir/exit"
sync "$dir/exit"
