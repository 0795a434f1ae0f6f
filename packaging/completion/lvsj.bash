# bash completion for lvsj. Commands and options are what lvsj's own help lists, so none is missing here; names are those
# that the director of this network namespace has, and none where no director runs or the user may not ask.

_lvsj_commands() {
	"$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

# Subcommands of one command.
_lvsj_subcommands() {
	"$1" "$2" --help 2>/dev/null | sed -n '/^Commands:/,$ s/^  \([a-z][a-z]*\) .*/\1/p'
}

_lvsj_options() {
	"$@" --help 2>/dev/null | grep -oE '(^|[[:space:],[])--?[[:alnum:]][[:alnum:]-]*' | tr -d ' \t,['
}

# What readers call their things: values of the keys, one JSON key a line.
_lvsj_names() {
	local keys=$3
	"$1" "$2" --json 2>/dev/null | sed -nE "s/^ *\"($keys)\": \"(.+)\",?\$/\\2/p"
}

_lvsj_schedulers() {
	"$1" ipvsadm -h 2>/dev/null | sed -n 's/.*one of \([a-z|]*|[a-z|]*\).*/\1/p' | tr '|' ' '
}

# Words for the argument at hand; nothing: file names.
_lvsj_words() {
	local lvsj=$1 command=$2 place=$3 previous=$4
	case $command:$previous in
	ipvsadm:-r | ipvsadm:--real-server) _lvsj_names "$lvsj" gateway address ;;
	ipvsadm:-s | ipvsadm:--scheduler) _lvsj_schedulers "$lvsj" ;;
	ipvsadm:--pe) echo destination source-destination ;;
	connection:--gateway) _lvsj_names "$lvsj" gateway 'name|address' ;;
	connection:--service) _lvsj_names "$lvsj" service name ;;
	*)
		case $command:$place in
		gateway:2) _lvsj_names "$lvsj" gateway 'name|address' ;;
		gateway:3) echo drain enable disable capacity ;;
		service:2) _lvsj_names "$lvsj" service name ;;
		setting:2) _lvsj_names "$lvsj" setting name ;;
		explain:4) echo tcp udp icmp icmpv6 sctp ;;
		*:2) _lvsj_subcommands "$lvsj" "$command" ;;
		esac
		;;
	esac
}

_lvsj() {
	local cur prev words cword
	# An IPv6 address is one word.
	_init_completion -n : || return
	local lvsj=${words[0]} command=${words[1]} wanted
	if [[ $cword -eq 1 ]]; then
		wanted="$(_lvsj_commands "$lvsj") --help"
	elif [[ $command =~ ^(check|plan|apply)$ && $cur != -* || $prev == --config ]]; then
		_filedir '@(yaml|yml)'
		return
	elif [[ $cur == -* ]]; then
		wanted=$(_lvsj_options "$lvsj" "$command")
	else
		wanted=$(_lvsj_words "$lvsj" "$command" "$cword" "$prev")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$wanted" -- "$cur")
	__ltrim_colon_completions "$cur"
} &&
	complete -F _lvsj lvsj
