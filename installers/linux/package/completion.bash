# Completion of `deskside` for bash; the commands are written in when the package is built.
_deskside() {
	local word=${COMP_WORDS[COMP_CWORD]}
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "@COMMANDS@ --help --version --settings" -- "$word")
		return
	fi
	case "${COMP_WORDS[1]}" in
	fix) mapfile -t COMPREPLY < <(compgen -W "list plan run --help --json" -- "$word") ;;
	ticket) mapfile -t COMPREPLY < <(compgen -W "create list show reply --help --json" -- "$word") ;;
	outbox) mapfile -t COMPREPLY < <(compgen -W "list retry drop --help --json" -- "$word") ;;
	config) mapfile -t COMPREPLY < <(compgen -W "show validate schema --help --json" -- "$word") ;;
	*) mapfile -t COMPREPLY < <(compgen -f -W "--help --json" -- "$word") ;;
	esac
}
complete -F _deskside deskside
