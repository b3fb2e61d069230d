# Completion of the intmill program for bash. Commands, options and values are what the program that
# is called says of itself, so they cannot be others than its own.

# The first words of the help's lists: options, each name alone, or commands.
_intmill_listed() {  # <pattern of a word> <intmill ...>
  local pattern=$1
  shift
  "$@" --help 2>/dev/null | sed -nE "s/^  ($pattern)(  .*| [^ ]+( .*)?)?\$/\1/p" | tr , '\n'
}

# What stands behind an option in the help, as OUT.im; nothing for a flag.
_intmill_value_of() {  # <option> <intmill ...>
  local option=$1
  shift
  "$@" --help 2>/dev/null | sed -nE "s/^  (-.,)?$option(,[^ ]+)? ([^ ]+)( .*)?\$/\3/p"
}

# An option that takes one of a few names lists them when it gets another.
_intmill_choices_of() {  # <option> <intmill ...>
  local option=$1
  shift
  "$@" "$option" '' 2>&1 >/dev/null | sed -nE 's/.* not in \{([^}]*)\}.*/\1/p' | tr , ' '
}

_intmill_files() {  # <word>
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_intmill_words() {  # <words> <word>
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_intmill() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} value=
  local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    case "$word" in
      -*) _intmill_words "$(_intmill_listed '-[^ ]+' "$program")" "$word" ;;
      *) _intmill_words "$(_intmill_listed '[a-z]+' "$program" | grep -vxF intmill)" "$word" ;;
    esac
    return
  fi
  # bash breaks words at '=': in --data image=FILE the file stands alone.
  case "$word,$previous" in
    =,*) _intmill_files '' && return ;;
    *,=) _intmill_files "$word" && return ;;
    *,-*) value=$(_intmill_value_of "$previous" "$program" "$command") ;;
  esac
  case "$value,$word" in
    ,-*) _intmill_words "$(_intmill_listed '-[^ ]+' "$program" "$command")" "$word" ;;
    ,* | *FILE*,* | *PATH*,* | OUT*,* | *MODEL*,*) _intmill_files "$word" ;;
    *) _intmill_words "$(_intmill_choices_of "$previous" "$program" "$command")" "$word" ;;
  esac
}

complete -F _intmill intmill
