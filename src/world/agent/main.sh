request=0
get
nonce=$field
get
jobs=${field:-$HOME/.baton}
get
leases=${field:-$jobs/lease}
get
shared=$field           # `shared`: all accounts of this machine have the folder of leases in common
get
checked=$field          # `checked`: whoever asks has looked himself at whose hands the folders are in

# Programs are looked for where there are any, once in each folder.
sane=
IFS=:
for place in $PATH; do
    case $place in /*) [ -d "$place" ] || continue ;; *) continue ;; esac
    for known in $sane; do [ ! "$known" -ef "$place" ] || continue 2; done
    sane=${sane:+$sane:}$place
    [ -n "$setsid" ] || [ ! -f "$place/setsid" ] || [ ! -x "$place/setsid" ] || setsid=$place/setsid
done
unset IFS PWD OLDPWD    # commands are told no folder that they could see for themselves
PATH=$sane
for tool in setsid mkdir sync od wc stat rm; do
    command -v "$tool" >/dev/null || { say "lacks $tool"; exit 1; }
done
born self
own=$$ self=$born entered='' settled='' safe=''
say "agent $boot"
while read -r request word run job a b c d e; do
    base=$jobs/$run/$job
    # Nothing of a former request is told for this one.
    state='' claimed='' keeper='' kept='' of='' pid='' began='' code='' input='' void='' last='' asked=- kept_in=- out_length='' err_length=''
    case $word in
    start) number=$a secret=$b aside=$c asked=$d count=$e && start ;;
    look) asked=$a kept_in=${b:--} && is_trusted && look && say "$state" ;;
    enter) fresh=$a && mark_run ;;
    output) stream=$a from=$b want=$c && output ;;
    end) number=$a && end_job ;;
    read) device=$a inode=$b from=$c max=$d && read_few ;;
    lease) show_lease ;;
    take) number=$a count=$b && take_lease ;;
    digest) role=$a first=$b seconds=$c && digest ;;
    block) number=$a at=$b length=$c && block ;;
    install) number=$a mode=$b over=$c && install ;;
    *) exit 1 ;;
    esac
done
