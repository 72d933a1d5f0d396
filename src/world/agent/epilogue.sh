# What every script on a channel of its own ends with: the nonce on both outputs, and the exit code.
main "$@"
code=$?
printf '\036%s\n' "$nonce" >&2
printf '\036%s %s\n' "$nonce" "$code"
