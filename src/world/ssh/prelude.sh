# What every script on a channel of its own begins with: its arguments come as fields on its input, their number
# first. It says `baton` when it has them; its body, `main`, may go on reading; its exit code is the last line of
# the error output, so that whoever reads it knows that the script came to its end.

for tool in setsid stat tail head; do
    command -v "$tool" >/dev/null || { echo "it lacks the command \`$tool\`" >&2; exit 1; }
done
set -f
unset LC_ALL
LC_ALL=C
nl='
'

get
left=$field
set --
while [ "$left" -gt 0 ]; do
    get
    set -- "$@" "$field"
    left=$((left - 1))
done
echo baton
