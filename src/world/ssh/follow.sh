# Lists folder $1 (with `list`) as soon as there is a byte behind offset $3 of file $2 in it, and so on for further
# pairs of file and offset, and then the nonce. Ends when its channel is closed, with everything it has started.
main() {
    cd -- "$1" 2>/dev/null || return 0
    folder=$1
    shift
    exec 3<&0
    {
        while [ "$#" -gt 1 ]; do
            tail -c "+$(($2 + 1))" -F -- "./$1" 2>/dev/null 3<&- &
            shift 2
        done
        wait
    } 3<&- | {
        head -c 1 >/dev/null
        list "$folder" && links
        printf '\036%s 0\n' "$nonce"
    } &
    read -r _ <&3
    trap : TERM
    kill -TERM 0
}
