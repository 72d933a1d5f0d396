# The folder of one run, for the agent: made, proved to be in nobody else's hands, and known again by its mark, which is
# a word that nobody made before and the file it is in. It knows no jobs.

# Makes the folder of the run and that of the leases, and notes that the run acts in this boot.
enter_run() {
    [ "$entered" = "$run" ] && return
    settled=
    for place in "$leases" "$jobs/$run"; do
        make_folder 2>/dev/null && continue
        refuse "cannot make the folder \`$place\`: no permission, or a disk that is full or read-only"
        return 1
    done
    if ! [ -O "$jobs" ] || ! [ -O "$jobs/$run" ]; then
        refuse "keeps \`$jobs\` for another account"
        return 1
    fi
    is_safe || return
    last_boot
    if [ "$last" != "$boot" ] && ! { echo "$boot" >>"$jobs/$run/boots"; } 2>/dev/null; then
        refuse "cannot write in \`$jobs/$run\`: is the disk full?"
        return 1
    fi
    entered=$run
}

# Makes folder $place; that of leases which all accounts share is for all of them, and nobody may touch another's.
make_folder() {
    [ -d "$place" ] || mkdir -p "$place" || return
    [ "$place" != "$leases" ] || [ "$shared" != shared ] || [ ! -O "$place" ] || [ -k "$place" ] || chmod 1777 "$place"
}

# Makes the files durable that are named, and what was noted of the run, if it is not: before anything is started here,
# because a claim is not.
settle() {
    if [ -z "$settled" ]; then
        [ ! -e "$jobs/$run/mark" ] || set -- "$@" "$jobs/$run/mark"
        set -- "$@" "$jobs/$run/boots" "$jobs/$run" "$jobs"
    fi
    if ! sync "$@" 2>/dev/null; then
        refuse "cannot write in \`$jobs/$run\`: is the disk full?"
        return 1
    fi
    settled=yes
}

# The boot in which this run last began to act here, into $last; empty if it never did.
last_boot() {
    last=
    while read -r line; do last=$line; done 2>/dev/null <"$jobs/$run/boots"
}

# Whether nobody but this account and root can put something else in place of what is in the folders, by the same rules
# as on the machine baton runs on: nobody else may write them, and above them only where they cannot touch another's.
is_safe() {
    [ "$safe" = "$run" ] || [ "$checked" = checked ] && return
    real=$(cd "$jobs" 2>/dev/null && pwd -P) || { refuse "cannot look at the folder \`$jobs\`"; return 1; }
    case $real in *"$nl"*) refuse "cannot keep its jobs in a folder with a line end in its name"; return 1 ;; esac
    set -- /
    above=$real
    while [ -n "$above" ]; do
        set -- "$@" "$above"
        above=${above%/*}
    done
    for place in "$real/lease" "$real/$run"; do [ ! -e "$place" ] || set -- "$@" "$place"; done
    seen=$(stat -c '%A %h %u %g' -- "$@" 2>/dev/null) || { refuse "cannot look at the folder \`$jobs\`"; return 1; }
    system=
    while read -r access; do
        place=$1
        shift
        [ -n "$system" ] || { system=${access#* * } && system=${system%% *}; }
        judge $access && continue
        refuse "keeps its jobs in a folder that is not safe: $why; look at what is in it, then: $command"
        return 1
    done <<SEEN
$seen
SEEN
    safe=$run
}

# Whether what is on record there, if anything is, can only be ours.
is_trusted() { [ ! -e "$jobs" ] || is_safe; }

# Judges what `stat` or `ls` says of $place, its access, its links, its owner and its group: what is wrong is in $why, and
# what puts it right in $command.
judge() {
    if ! [ -O "$place" ] && [ "$3" != 0 ] && [ "$3" != "$system" ]; then
        why="\`$place\` belongs to another account, $3" command="chown ${USER:-LOGIN} $place"
        return 1
    fi
    who='anyone there' command="chmod o-w $place"
    case $place in
    "$real" | "$real"/*)
        command="chmod go-w $place"
        # The group of an account by itself, with the number of that account, lets nobody else in.
        case $1 in ?????w??[!w]*) [ "$3" = "$4" ] || { why="its group may change \`$place\`"; return 1; } ;; esac
        case $1 in ????????w*) ;; *) return 0 ;; esac
        ;;
    *) case $1 in ????????w[!tT]*) ;; *) return 0 ;; esac ;;
    esac
    why="$who may change \`$place\`"
    return 1
}

# Makes the mark of the run's folder, of the word $fresh, unless it has one, and tells it, and which lease counts here.
mark_run() {
    entered=
    enter_run || return
    mark_of_run || make_mark
    if ! mark_of_run; then
        refuse "cannot write in \`$jobs/$run\`: is the disk full?"
        return
    fi
    know_lease && say "entered $mark_there $known"
}

# Once, whoever else makes one. One that stays empty was left by somebody who died in the midst of it.
make_mark() {
    [ ! -e "$jobs/$run/mark" ] || { sleep 1; mark_of_run; } || rm -f "$jobs/$run/mark"
    set -C
    { echo "$fresh" >"$jobs/$run/mark"; } 2>/dev/null
    set +C
}

# The mark of the run's folder, into $mark_there; fails where there is none.
mark_of_run() {
    mark_there='' word_there='' inode=
    {
        read -r word_there
        while read -r key inode && [ "$key" != ino: ]; do inode=; done </proc/self/fdinfo/5
    } 2>/dev/null 5<"$jobs/$run/mark" <&5
    [ -n "$word_there" ] || return 1
    # Before Linux 5.14 it is not told there.
    [ -n "$inode" ] || inode=$(stat -c %i "$jobs/$run/mark" 2>/dev/null)
    [ -n "$inode" ] || return 1
    mark_there=$word_there:$inode
}
