# SPDX-License-Identifier: Apache-2.0
# bash completion for holdfast(1): commands, their options as --help lists them, and files.

_holdfast() {
	local current=$2 previous=$3 words_of

	if [[ $COMP_CWORD -eq 1 ]]; then
		words_of=$(holdfast --help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$words_of" -- "$current")
		return
	fi
	case ${COMP_WORDS[1]},$previous in
	*,--file | *,--config | *,--services | *,--html | *,--rules | *,--write | *,-w | *,--ca)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	config,config)
		COMPREPLY=(check)
		return
		;;
	alerts,alerts)
		COMPREPLY=(test)
		return
		;;
	help,*)
		words_of=$(holdfast --help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$words_of" -- "$current")
		return
		;;
	doctor,*)
		[[ $current == -* ]] || {
			mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net 2>/dev/null)" -- "$current")
			return
		}
		;;
	esac
	if [[ $current == -* ]]; then
		words_of=$(holdfast "${COMP_WORDS[1]}" --help 2>/dev/null | grep -o -- '^  \(-., \)\?--[a-z-]*' | grep -o -- '--.*')
		mapfile -t COMPREPLY < <(compgen -W "$words_of" -- "$current")
		return
	fi
	case ${COMP_WORDS[1]} in
	release)
		words_of=$(holdfast rules --json 2>/dev/null |
			sed -n 's/^ *"\(id\|prefix\)": "\(.*\)",\{0,1\}$/\2/p')
		mapfile -t COMPREPLY < <(compgen -W "$words_of" -- "$current")
		;;
	analyze | try | config)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		;;
	esac
}

complete -F _holdfast holdfast
