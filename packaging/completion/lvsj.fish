# fish completion for lvsj, by lvsj's own help and readers; see lvsj.bash.

function __lvsj_words
    set -l words (commandline -opc)
    set -l command $words[2]
    switch "$command:"(count $words)
        case 'gateway:2'
            lvsj gateway --json 2>/dev/null | string replace -rf '^ *"(?:name|address)": "(.+)",?$' '$1'
        case 'gateway:3'
            string split ' ' 'drain enable disable capacity'
        case 'service:2' 'setting:2'
            lvsj $command --json 2>/dev/null | string replace -rf '^ *"name": "(.+)",?$' '$1'
        case 'explain:4'
            string split ' ' 'tcp udp icmp icmpv6 sctp'
        case '*:2'
            lvsj $command --help 2>/dev/null | sed -n '/^Commands:/,$ s/^  \([a-z][a-z]*\) .*/\1/p'
    end
end

function __lvsj_options
    set -l words (commandline -opc)
    lvsj $words[2] --help 2>/dev/null | string match -ar '(?<=^|[\s,\[])--?[[:alnum:]][[:alnum:]-]*'
end

complete -c lvsj -f
complete -c lvsj -n __fish_is_first_token -a "(lvsj --help 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)' '\$1\t\$2')"
complete -c lvsj -n 'not __fish_is_first_token; and string match -q -- "-*" (commandline -ct)' -a '(__lvsj_options)'
complete -c lvsj -n 'not __fish_is_first_token' -a '(__lvsj_words)'
complete -c lvsj -n '__fish_seen_subcommand_from check plan apply' -F
complete -c lvsj -n '__fish_seen_subcommand_from run' -l config -rF
