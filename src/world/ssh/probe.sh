# A command that only reads. It is killed with its group when the channel is closed: its limit is over.
main() {
    exec 3<&0
    end=$(printf '\036%s' "$nonce")
    {
        setsid "$@" </dev/null 3<&- &
        command=$!
        { read -r _ <&3; kill -TERM "-$command"; sleep 1; kill -KILL "-$command"; } >/dev/null 2>&1 &
        watcher=$!
        wait "$command"
        code=$?
        kill "$watcher" 2>/dev/null
        printf '%s %s\n' "$end" "$code"
    } | tell_all
}
