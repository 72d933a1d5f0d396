# The agent at the far end of one channel to a host: starts jobs at most once, looks at them, and keeps the host's
# lease. POSIX sh with builtins where a job is started: a step costs one fork. It reads requests from its input, a line
# of words and then fields, and answers with frames on its output (see `say`); it ends with its channel. A job lives on:
# what runs in the foreground here is waited for and its end written down, channel or no channel. No job and nothing
# that it leaves behind holds an end of it.
#
#   <leases>/<number>        who may change this host; the highest number counts
#   <jobs>/<run>/boots       the boots of the host in which this run started jobs
#   <jobs>/<run>/mark        what tells this folder from one that is made in its place later
#   <jobs>/<run>/<job>.started
#       made with O_EXCL, which succeeds once, and its first line with it: that is the claim. First line: boot, our
#       process, when it began, and the digest of what was asked for; second, right before the command: its process,
#       which is also its session and group, and when that began
#   .out, .err               what the command wrote
#   .exit                    blank, then "exit <code>", always 17 bytes: a full disk cannot prevent it

set -f
unset LC_ALL
LC_ALL=C
while read -r key mask; do [ "$key" != Umask: ] || break; done </proc/self/status
[ -n "$mask" ] || mask=$(umask)     # before Linux 4.7
umask 077
trap : HUP INT TERM PIPE    # a link that goes must not end us before the exit record is written
most=8192                   # bytes of output that are sent along with the end of a job
short=400                   # the longest text that is read by the shell itself, which takes it byte by byte
nl='
'
read -r boot </proc/sys/kernel/random/boot_id || boot=unknown
exec 3>&1 >/dev/null        # the channel: nothing but `say` writes to it

# Answers with $1, which is plain text: the nonce, the number of the request, the length, that much, and the end. What a
# start-up file of the login has left behind may write there as well: what is short is written at once, and so are the
# first and the last line of what is long, so that nobody else speaks within them.
say() {
    if [ "${#1}" -lt 900 ]; then
        printf '%s %s %s\n%s\n%s %s end\n' "$nonce" "$request" "${#1}" "$1" "$nonce" "$request"
    else
        printf '%s %s %s\n' "$nonce" "$request" "${#1}"
        printf '%s' "$1"
        printf '\n%s %s end\n' "$nonce" "$request"
    fi >&3 2>/dev/null
}

# Answers that the request cannot be carried out: $1 says why, in hexadecimal, since paths are part of it.
refuse() { say "refused $(printf '%s' "$1" | od -A n -v -t x1)"; }

# When process $1 began, in ticks since the boot, into $born; fails when there is none, or it is a zombie. Its line is
# left in $stat.
born() {
    born=
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    set -- ${stat##*) }
    born=${20}
    case $1 in Z | X) return 1 ;; esac
}

# Whether process $1, which began at $2, still runs.
alive() { [ -n "$1" ] && born "$1" && [ "$born" = "$2" ]; }

# Whether anything of process group $1, whose first process began at $2, still runs. A number that another process has
# got since says that the group is gone: a group keeps its number from others.
group_alive() {
    [ -n "$1" ] || return 1
    born "$1"
    [ -z "$born" ] || [ "$born" = "$2" ] || return 1
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

# The text of file $1, into $told, if it is short and plain: nothing is forked for it. A zero byte, which a shell drops
# unseen, shows in how far it has read.
plain_text() {
    told='' line='' at=
    {
        while IFS= read -r line; do
            case $line in *[!\ -~]*) return 1 ;; esac
            told=$told$line$nl
            [ "${#told}" -le "$short" ] || return 1
        done
        case $line in *[!\ -~]*) return 1 ;; esac
        told=$told$line
        read -r word_pos at </proc/self/fdinfo/5
    } 2>/dev/null 5<"$1" <&5
    [ "$at" = "${#told}" ] && [ "$at" -le "$short" ]
}

# How the job stands, into $state: never started as long as its claim does not say of which command it is. Without a
# claim it is gone where its folder is not the one of the mark $kept_in.
look() {
    state=absent
    if ! [ -e "$base.started" ]; then
        [ "$kept_in" = - ] || { mark_of_run && [ "$mark_there" = "$kept_in" ]; } || state=gone
        [ ! -d "$jobs/$run/${job%.*}" ] || state="lost its record is that of a former version of baton"
        return 0
    fi
    { read -r claimed keeper kept of && read -r pid began; } 2>/dev/null <"$base.started"
    [ "$kept" = barred ] && return
    if [ "$asked" != - ] && [ -n "$of" ] && [ "$of" != "$asked" ]; then
        state=foreign
        return
    fi
    ended && return
    if [ -z "$of" ]; then
        state="lost its record does not say of which command it is, as of one that was claimed and never begun"
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
    group_alive "$pid" "$began" && return
    state="lost its supervisor died"
    ended
    return 0
}

# Whether the job has left an exit record: then its code is in $state.
ended() {
    code=
    { read -r word_exit code && [ "$word_exit" = exit ] && [ -n "$code" ]; } 2>/dev/null <"$base.exit" || return 1
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
    if [ "$secret" = secret ]; then
        get
        input=$field
    fi
    # Until 0.2.0 a host that was the runner's own machine kept a folder for each effect.
    if [ -e "$base.started" ] || [ -d "$jobs/$run/${job%.*}" ]; then look; say "$state"; return; fi
    if [ "$aside" = aside ]; then
        # In a process of its own, which is the supervisor: this one hears the next request.
        { born self && own=${stat%% *} self=$born && launch "$@"; } 2>/dev/null &
    else
        launch "$@" && tell_end
    fi
}

# Claims the job and carries it out.
launch() {
    enter_run || return
    # Who has a lease has settled it with that.
    [ "$number" != - ] || [ -n "$settled" ] || settle || return
    bar_former
    set -C
    won=no
    { { won=yes && echo "$boot $own $self $asked" && won=whole; } >"$base.started"; } 2>/dev/null
    set +C
    if [ "$won" = no ]; then
        if [ -e "$base.started" ]; then look; say "$state"; else refuse "cannot write in \`$jobs/$run\`"; fi
        return 1
    fi
    # After the claim: whoever takes the host over raises the number first and then looks at what was claimed.
    if ! is_leased; then
        give_back
        say leased
        return 1
    fi
    opened=
    if [ "$won" = whole ] && { printf '                \n' >"$base.exit"; } 2>/dev/null; then
        # How far the command has written shows in these, however much that is.
        { { opened=yes && supervise "$@"; } 6>"$base.out" 7>"$base.err"; } 2>/dev/null && return
    fi
    [ -n "$opened" ] || refuse_full
    return 1
}

# The files of a job, or its command, could not be begun.
refuse_full() {
    give_back
    refuse "cannot write in \`$jobs/$run\`: is the disk full?"
}

# Undoes a claim of ours whose command was not started.
give_back() { rm -f "$base.out" "$base.err" "$base.exit" "$base.started"; }

# Runs the command and writes down how it ended. A command whose process could not be written down is not started.
supervise() {
    if [ "$secret" = secret ]; then
        void=$(printf '%s' "$input" | command_of_job "$@")
    else
        void=$(command_of_job "$@" </dev/null)
    fi
    code=$?
    if [ -n "$void" ]; then
        refuse_full
        return 1
    fi
    [ ! -s "$base.out" ] || read -r word_pos out_length </proc/self/fdinfo/6
    [ ! -s "$base.err" ] || read -r word_pos err_length </proc/self/fdinfo/7
    { printf 'exit %-11s\n' "$code" 1<>"$base.exit"; } 2>/dev/null
    return 0
}

# The command in a session of its own. What it is called with are our arguments: none of them is read as shell.
command_of_job() {
    born self
    { echo "${stat%% *} $born" >>"$base.started"; } 2>/dev/null || { echo void; exit 0; }
    trap : PIPE             # a link that goes must not end us here either; `exec` makes it as it was
    say taken
    umask "$mask"
    exec "$setsid" "$@" >&6 2>&7 3>&- 6>&- 7>&-
}

# The end of a job and the beginning of what it wrote, as it is in its record: what has been read is what is sent.
tell_end() {
    ended || state="lost its exit record is gone or cannot be read"
    wrote out "$out_length"
    text=$state$wrote
    wrote err "$err_length"
    say "$text$wrote"
}

# What the job wrote to stream $1, $2 bytes of it itself, into $wrote: all of it behind `=` and its length, where it is
# short and plain; else its length, or `-` where all of it follows, and its beginning in hexadecimal; `?` for neither.
wrote() {
    wrote=' ; -'
    [ -s "$base.$1" ] || { [ -e "$base.$1" ] || wrote=' ; ?'; return; }
    if [ "${2:-0}" -gt 0 ] && [ "$2" -le "$short" ] && plain_text "$base.$1"; then
        wrote=" ; =${#told}:$told"
        return
    fi
    hex=$(od -A n -v -t x1 -N "$most" "$base.$1" 2>/dev/null) || { wrote=' ; ?'; return; }
    size=-
    [ "${#hex}" -lt "$((most * 2))" ] || size=$(wc -c <"$base.$1" 2>/dev/null) || size='?'
    wrote=" ; $size $hex"
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

# Sends $want bytes of the job's output from byte $from on.
output() {
    size=$(wc -c 2>/dev/null <"$base.$stream") || { say missing; return; }
    hex=
    if [ "$size" -gt "$from" ]; then
        hex=$(od -A n -v -t x1 -j "$from" -N "$want" "$base.$stream" 2>/dev/null) || { say missing; return; }
    fi
    say "bytes $hex"
}

# Asks a running job to end, if the host is still leased under $number.
end_job() {
    if ! is_leased; then
        say leased
        return
    fi
    look
    if [ "$state" = running ] && [ -n "$pid" ] && alive "$pid" "$began"; then
        kill -TERM "-$pid" 2>/dev/null || sudo -n kill -TERM "-$pid" 2>/dev/null
    fi
    say "$state"
}
