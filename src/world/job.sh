# The supervisor of one job: sh -c <this text> baton-job <folder of the attempt> <command> <arguments...>
# POSIX only. Whoever starts it, in a session of its own, has made the folder (that was the claim: mkdir succeeds once,
# however often a start is sent) and hands over the locked <folder>.lock as standard input, and as standard output what
# the command is to read: nothing, or a secret in a pipe.
#
#   <folder>.lock    the boot id of the claim; locked before the folder is made and until we die: who finds the folder
#                    but no lock and no exit record knows that we died
#   started          "<boot id> <our process id, which is also the session and the process group>", before the command
#   out, err         what the command wrote
#   exit             blank, then "exit <code>", always 17 bytes: a full disk cannot prevent it

dir=$1
shift
exec 9<&0 8<&1 </dev/null >/dev/null 2>&1 3>>"$dir/out" 4>>"$dir/err"
trap : HUP INT TERM     # a signal to the group is for the command; our part is to record how it ended
read -r boot </proc/sys/kernel/random/boot_id || boot=
echo "$boot $$" >"$dir/started" || exit 1

# `exec` runs the program of that name, never a builtin. What it leaves behind must not hold our lock.
(exec "$@") <&8 >&3 2>&4 3>&- 4>&- 8<&- 9>&-
printf 'exit %-11s\n' "$?" 1<>"$dir/exit"
sync "$dir/exit"
