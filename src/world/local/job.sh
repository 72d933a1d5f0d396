# The supervisor of one job, carried out by: sh -c … baton-job <folder of the claim> <folder of the leases> <digest of
# what was asked> <command> <arguments...>
# POSIX only. Whoever starts it, in a session of its own, has made the folder, <attempt>.<fence number>, and hands over
# the locked <attempt>.<fence number>.lock as standard input; as standard output what the command is to read, nothing
# or a secret in a pipe; and as error output a pipe that hears `begun` when the command is certain to be started. What is
# started at most once is decided by <attempt>.started.
#
#   ….lock           the boot id of the claim; locked before the folder is made and until we die: who finds the mark
#                    but no lock and no exit record knows that we died
#   ….started        "<boot id> <our process id, which is also the session and the process group> <when it began, in
#                    ticks> <fence number> <digest>": made once, however many claims there are, before the command
#   process          "<process id> <when it began>" of the command
#   out, err         what the command wrote
#   exit             blank, then "exit <code>", always 17 bytes: a full disk cannot prevent it

dir=$1 leases=$2 digest=$3
shift 3
number=${dir##*.} mark=${dir%.*}.started
exec 9<&0 8<&1 7>&2 </dev/null >/dev/null 2>&1 3>>"$dir/out" 4>>"$dir/err"
trap : HUP INT TERM PIPE    # a signal to the group is for the command; our part is to record how it ended
read -r boot </proc/sys/kernel/random/boot_id || boot=

# "<process id> <when it began>" of the shell that asks, into $process.
process() {
    read -r stat </proc/self/stat
    process=${stat%% *}
    set -f
    set -- ${stat##*) }
    set +f
    process="$process ${20}"
}

process
set -C
: >"$mark" || exit 1
set +C
echo "$boot $process $number $digest" >>"$mark" || { rm -f "$mark"; exit 1; }

# The host may have been taken over since we were asked for. Without a runner of a number (0) there are no leases.
if [ "$number" != 0000000000 ]; then
    for last in "$leases"/[0-9]*; do :; done
    [ "$last" = "$leases/$number" ] || { rm -f "$mark"; exit 1; }
fi
echo begun >&7
exec 7>&-

# `exec` runs the program of that name, never a builtin. What it leaves behind must not hold our lock.
(process; echo "$process" >"$dir/process"; exec "$@" <&8 >&3 2>&4 3>&- 4>&- 8<&- 9>&-)
printf 'exit %-11s\n' "$?" 1<>"$dir/exit"
sync "$dir/exit"
