# The resident of one channel to a host: starts jobs at most once, looks at them, and keeps the host's lease.
# POSIX sh with builtins where a job is started: a step costs one fork. It reads requests from its input, a line of
# words and then fields, and answers on its output; it ends with its connection. A job lives on: what runs in the
# foreground here is waited for and its end written down, link or no link.
#
#   <jobs>/lease/<number>    who may change this host; the highest number counts
#   <jobs>/<run>/boots       the boots of the host in which this run started jobs
#   <jobs>/<run>/<job>.started
#       made with O_EXCL, which succeeds once: that is the claim. First line: boot, our process and when it began;
#       second, right before the command: its process, which is also its session and group, and when that began
#   .out, .err               what the command wrote
#   .exit                    blank, then "exit <code>", always 17 bytes: a full disk cannot prevent it

set -f
unset LC_ALL
LC_ALL=C
mask=$(umask)
umask 077
trap : HUP INT TERM PIPE    # a link that goes must not end us before the exit record is written
most=8192                   # bytes of output that are sent along with the end of a job
read -r boot </proc/sys/kernel/random/boot_id || boot=unknown

# When process $1 began, in ticks since the boot, into $born; fails when there is none. Its line is left in $stat.
born() {
    born=
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    set -- ${stat##*) }
    case $1 in Z | X) return 1 ;; esac
    born=${20}
}

# Whether process $1, which began at $2, still runs.
alive() { [ -n "$1" ] && born "$1" && [ "$born" = "$2" ]; }

# Whether anything of process group $1 still runs.
group_alive() {
    kill -0 "-$1" 2>/dev/null && return
    set +f
    for stat_file in /proc/[0-9]*/stat; do
        { read -r stat <"$stat_file"; } 2>/dev/null || continue
        set -- "$1" ${stat##*) }
        if [ "$4" = "$1" ] && [ "$2" != Z ]; then set -f; return 0; fi
    done
    set -f
    return 1
}

# How the job stands, into $state.
look() {
    state=absent claimed='' keeper='' kept='' pid='' began=''
    [ -e "$base.started" ] || return 0
    ended && return
    { read -r claimed keeper kept && read -r pid began; } 2>/dev/null <"$base.started"
    [ "$kept" = barred ] && return
    if [ -z "$claimed" ]; then
        state="lost whoever claimed it died before it could begin"
        return
    fi
    if [ "$claimed" != "$boot" ]; then
        state="lost the host was restarted while it ran"
        ended
        return 0
    fi
    state=running
    alive "$keeper" "$kept" && return
    ended && return
    if alive "$pid" "$began" || { [ -n "$pid" ] && group_alive "$pid"; }; then return; fi
    state="lost its supervisor died"
    ended
    return 0
}

# Whether the job has left an exit record: then its code is in $state.
ended() {
    { read -r word_exit code && [ "$word_exit" = exit ]; } 2>/dev/null <"$base.exit" || return 1
    state="exited $code"
}

# Starts the job unless it was started before. $count fields are the command; one more is its input, if it has one.
start() {
    set --
    while [ "$count" -gt 0 ]; do
        get
        set -- "$@" "$field"
        count=$((count - 1))
    done
    input=
    if [ "$secret" = secret ]; then
        get
        input=$field
    fi
    if [ -e "$base.started" ]; then look; echo "$state"; return; fi
    enter_run || return
    bar_former
    set -C
    { true >"$base.started"; } 2>/dev/null
    won=$?
    set +C
    if [ "$won" != 0 ]; then
        if [ -e "$base.started" ]; then look; echo "$state"; else echo "refused cannot write in \`$jobs/$run\`"; fi
        return
    fi
    if ! { true >"$base.out" && true >"$base.err" && printf '                \n' >"$base.exit" &&
        echo "$boot $$ $self" >>"$base.started"; } 2>/dev/null; then
        give_back
        echo "refused cannot write in \`$jobs/$run\`: is the disk full?"
        return
    fi
    # After the claim: whoever takes the host over raises the number first and then looks at what was claimed.
    last_lease
    if [ "$lease" != "$jobs/lease/$number" ]; then
        give_back
        echo leased
        return
    fi
    echo taken
    if [ "$aside" = aside ]; then
        supervise "$@" >/dev/null &
    else
        supervise "$@"
        tell_end
    fi
}

# Undoes a claim of ours whose command was not started.
give_back() { rm -f "$base.out" "$base.err" "$base.exit" "$base.started"; }

# Runs the command and writes down how it ended.
supervise() {
    if [ "$secret" = secret ]; then printf '%s' "$input" | command_of_job "$@"; else command_of_job "$@" </dev/null; fi
    printf 'exit %-11s\n' "$?" 1<>"$base.exit"
}

# The command in a session of its own. What it is called with are our arguments: none of them is read as shell.
command_of_job() (
    born self
    echo "${stat%% *} $born" >>"$base.started"
    umask "$mask"
    exec setsid "$@" >"$base.out" 2>"$base.err"
)

# The end of a job and the beginning of what it wrote.
tell_end() {
    out=0 err=0
    [ -s "$base.out" ] && out=$(wc -c <"$base.out")
    [ -s "$base.err" ] && err=$(wc -c <"$base.err")
    ended
    echo "$state $((out)) $((err))"
    [ "$out" -gt 0 ] && head -c "$most" "$base.out"
    [ "$err" -gt 0 ] && head -c "$most" "$base.err"
}

# A former attempt that was not started by now must never be: a delayed request for it finds it claimed.
bar_former() {
    attempt=${job##*.}
    while [ "$attempt" -gt 1 ]; do
        attempt=$((attempt - 1))
        former=$jobs/$run/${job%.*}.$attempt
        [ -e "$former.started" ] && continue
        set -C
        { echo "$boot 0 barred" >"$former.started"; } 2>/dev/null
        set +C
    done
}

# Makes the folder of the run, and notes that it acts in this boot before it does: durable, because a claim is not.
enter_run() {
    [ "$entered" = "$run" ] && return
    if ! mkdir -p "$jobs/$run" "$jobs/lease" 2>/dev/null; then
        echo "refused cannot make the folder \`$jobs/$run\`: no permission, or a disk that is full or read-only"
        return 1
    fi
    if ! [ -O "$jobs" ] || ! [ -O "$jobs/$run" ]; then
        echo "refused keeps \`$jobs\` for another account"
        return 1
    fi
    last_boot
    if [ "$last" != "$boot" ]; then
        if ! { echo "$boot" >>"$jobs/$run/boots" && sync "$jobs/$run/boots" "$jobs/$run" "$jobs"; } 2>/dev/null; then
            echo "refused cannot write in \`$jobs/$run\`: is the disk full?"
            return 1
        fi
    fi
    entered=$run
}

# The boot in which this run last began to act here, into $last; empty if it never did.
last_boot() {
    last=
    while read -r line; do last=$line; done 2>/dev/null <"$jobs/$run/boots"
}

# Sends $most bytes of the job's output from byte $from on.
output() {
    [ -f "$base.$stream" ] || { echo missing; return; }
    size=$(wc -c <"$base.$stream")
    size=$((size - from))
    [ "$size" -gt "$want" ] && size=$want
    [ "$size" -lt 0 ] && size=0
    echo "bytes $size"
    [ "$size" = 0 ] || tail -c "+$((from + 1))" "$base.$stream" | head -c "$size"
}

# Asks a running job to end, if the host is still leased under $number.
end_job() {
    last_lease
    if [ "$lease" != "$jobs/lease/$number" ]; then
        echo leased
        return
    fi
    look
    if [ "$state" = running ] && [ -n "$pid" ] && alive "$pid" "$began"; then
        kill -TERM "-$pid" 2>/dev/null || sudo -n kill -TERM "-$pid" 2>/dev/null
    fi
    echo "$state"
}
