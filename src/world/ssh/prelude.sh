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
