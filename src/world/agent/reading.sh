# Reading of logs, for the agent: what a file has got since it was looked at last.

# Tells $max bytes at the most of a file from byte $from on, if it is the one on device $device with inode $inode, and
# they are few; else that it is not, or that somebody else has to read so many.
read_few() {
    get
    file=$field
    get
    file=$file/$field answer=long
    [ -f "$file" ] || { say missing; return; }
    {
        seen=$(stat -L -c '%d %i %s' /proc/self/fd/4)
        count=$((${seen##* } - from))
        [ "$count" -ge 0 ] || count=0
        [ "$count" -le "$max" ] || count=$max
        if [ "${seen% *}" != "$device $inode" ]; then
            answer=missing
        elif [ "$count" -le "$most" ]; then
            hex=$(od -A n -v -t x1 -j "$from" -N "$count" <&4) && answer="bytes $hex"
        fi
    } 2>/dev/null 4<"$file"
    say "$answer"
}
