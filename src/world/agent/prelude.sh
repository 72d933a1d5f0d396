# What every script on a channel of its own begins with. The first field of its input is a nonce, which begins and ends
# what it says on both outputs, so that nothing else that has them can be taken for it; then its arguments come as
# fields, their number first. Its body, `main`, may go on reading. Its exit code stands behind the last nonce.

set -f
unset LC_ALL
LC_ALL=C
nl='
'

get
nonce=$field
printf '\036%s\n' "$nonce"
printf '\036%s\n' "$nonce" >&2
get
left=$field
set --
while [ "$left" -gt 0 ]; do
    get
    set -- "$@" "$field"
    left=$((left - 1))
done
for tool in setsid stat tail head; do
    command -v "$tool" >/dev/null || {
        echo "it lacks the command \`$tool\`" >&2
        printf '\036%s\n' "$nonce" >&2
        printf '\036%s lacks\n' "$nonce"
        exit 1
    }
done

# Tells line $1 as the script's own, with a mark that nobody else knows: at once, so that nobody else speaks within it.
# What is longer than can be written at once is told in parts.
tell() {
    line=$1
    while [ "${#line}" -gt 900 ]; do
        rest=${line#$part}
        printf '\036%s-%s\n' "$nonce" "${line%"$rest"}"
        line=$rest
    done
    printf '\036%s=%s\n' "$nonce" "$line"
}
part=????????????????????????????????????????????????????????????
part=$part$part$part$part$part$part$part$part$part$part

# Tells its input line by line, up to the mark with which it ends and an exit code, which it ends with. Whatever holds
# that input for longer than that is not waited for.
tell_all() {
    while IFS= read -r said; do
        case $said in
        *"$end "*)
            last=${said%%"$end "*}
            [ -z "$last" ] || printf '\036%s-%s\n' "$nonce" "$last"
            return "${said##*"$end "}"
            ;;
        esac
        tell "$said"
    done
    return 1
}
