# A command that only reads. It is killed with its group when the channel is closed: its limit is over. Its input is
# nothing, or where $1 is `secret` the field that comes next: no argument and no variable that is handed on.
main() {
    has=$1
    shift
    if [ "$has" = secret ]; then
        get
        input=$field
    fi
    exec 3<&0
    end=$(printf '\036%s' "$nonce")
    {
        if [ "$has" = secret ]; then
            printf '%s' "$input" 2>/dev/null 3<&- | setsid "$@" 3<&- &
        else
            setsid "$@" </dev/null 3<&- &
        fi
        command=$!
        { read -r _ <&3; kill -TERM "-$command"; sleep 1; kill -KILL "-$command"; } >/dev/null 2>&1 &
        watcher=$!
        wait "$command"
        code=$?
        kill "$watcher" 2>/dev/null
        printf '%s %s\n' "$end" "$code"
    } | tell_all
}
