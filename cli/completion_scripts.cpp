#include "cli/completion_scripts.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace hawser::cli {
namespace {

constexpr std::string_view kGlobalOptions =
    "--hub --user --token --ca --pin --plain --json --quiet --verbose --help --version";

// What stands where no option does.
std::string_view operands_of(std::string_view command) {
  static constexpr std::array kRemote{"ls", "stat", "mkdir", "rm", "mv", "sum", "du"};
  if (std::ranges::find(kRemote, command) != kRemote.end()) return "remote";
  if (command == "put") return "local-then-remote";
  if (command == "get") return "remote-then-local";
  if (command == "completion") return "shells";
  return "nothing";
}

std::string options_of(const Command& command) {
  CLI::App parser;
  parser.set_help_flag();
  command.setup(parser);
  std::string words;
  for (const CLI::Option* option : parser.get_options())
    for (const std::string& name : option->get_lnames()) words += fmt::format("--{} ", name);
  return words;
}

constexpr std::string_view kBashHead = R"sh(# bash completion for hawser; made by: hawser completion bash

_hawser_remote() {
  local path
  while IFS= read -r path; do
    [[ $path == */ ]] && compopt -o nospace 2>/dev/null
    COMPREPLY+=("$(printf %q "$path")")
  done < <("$1" __complete "${globals[@]}" -- "${cur//\\/}" 2>/dev/null)
}

_hawser_local() {
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen -f -- "$cur")
}

_hawser() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev= command= options= operands=nothing count=0 i word
  local -a globals=()
  COMPREPLY=()
  ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD-1]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --hub|--user|--token|--ca|--pin)
        local value=${COMP_WORDS[i+1]}
        ((i++))
        # bash takes a colon for the end of a word
        while [[ ${COMP_WORDS[i+1]} == : ]] && ((i + 2 < COMP_CWORD)); do
          value+=:${COMP_WORDS[i+2]}
          ((i += 2))
        done
        globals+=("$word" "$value") ;;
      --plain) globals+=("$word") ;;
      --) [[ $command == run ]] && return ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=$word; else ((count++)); fi ;;
    esac
  done
)sh";

constexpr std::string_view kBashTail = R"sh(  case $prev in
    --hash) COMPREPLY=($(compgen -W 'xxh3-128 sha256 md5' -- "$cur")); return ;;
    --role) COMPREPLY=($(compgen -W 'member admin' -- "$cur")); return ;;
    --allow-run) COMPREPLY=($(compgen -W 'admins members none' -- "$cur")); return ;;
    --log-level) COMPREPLY=($(compgen -W 'debug info warning error' -- "$cur")); return ;;
    --ca|--config|--root) _hawser_local; return ;;
    --cwd|--into) [[ $command != get ]] && _hawser_remote "$1" || _hawser_local; return ;;
    --hub|--user|--token|--pin|--listen|--timeout|--env|--shell|--invite) return ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options $global_options" -- "$cur"))
    return
  fi
  if [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "$commands help" -- "$cur"))
    return
  fi
  case $operands in
    remote) _hawser_remote "$1" ;;
    local-then-remote) _hawser_local; ((count > 0)) && _hawser_remote "$1" ;;
    remote-then-local) _hawser_remote "$1"; ((count > 0)) && _hawser_local ;;
    shells) COMPREPLY=($(compgen -W 'bash zsh' -- "$cur")) ;;
  esac
  return 0
}

complete -F _hawser hawser
)sh";

constexpr std::string_view kZshHead = R"sh(#compdef hawser
# zsh completion for hawser; made by: hawser completion zsh

_hawser_remote() {
  local -a found
  found=("${(@f)$($words[1] __complete $globals -- "${(Q)PREFIX}" 2>/dev/null)}")
  found=(${found:#})
  compadd -Q -S '' -- ${(q)${(M)found:#*/}}
  compadd -Q -- ${(q)${found:#*/}}
}

_hawser() {
  local command= operands=nothing word previous=$words[CURRENT-1]
  local -a globals options commands
  local -i i count=0
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case $word in
      --hub|--user|--token|--ca|--pin) globals+=($word ${(Q)words[i+1]}); ((i++)) ;;
      --plain) globals+=($word) ;;
      --) [[ $command == run ]] && return 1 ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=$word; else ((count++)); fi ;;
    esac
  done
)sh";

constexpr std::string_view kZshTail = R"sh(  case $previous in
    --hash) compadd -- xxh3-128 sha256 md5; return ;;
    --role) compadd -- member admin; return ;;
    --allow-run) compadd -- admins members none; return ;;
    --log-level) compadd -- debug info warning error; return ;;
    --ca|--config|--root) _files; return ;;
    --cwd|--into) if [[ $command == get ]]; then _files; else _hawser_remote; fi; return ;;
    --hub|--user|--token|--pin|--listen|--timeout|--env|--shell|--invite) return 1 ;;
  esac
  if [[ $PREFIX == -* ]]; then
    compadd -- $options $global_options
    return
  fi
  if [[ -z $command ]]; then
    _describe command commands
    return
  fi
  case $operands in
    remote) _hawser_remote ;;
    local-then-remote) _files; ((count > 0)) && _hawser_remote ;;
    remote-then-local) _hawser_remote; ((count > 0)) && _files ;;
    shells) compadd -- bash zsh ;;
  esac
}

if [[ $funcstack[1] == _hawser ]]; then
  _hawser "$@"
else
  compdef _hawser hawser
fi
)sh";

}  // namespace

std::string bash_completion() {
  std::string script(kBashHead), names;
  script += fmt::format("  local global_options='{}'\n", kGlobalOptions);
  script += "  case $command in\n";
  for (const Command& command : commands()) {
    if (command.group.empty()) continue;
    names += fmt::format("{} ", command.name);
    script += fmt::format("    {}) options='{}' operands={} ;;\n", command.name, options_of(command),
                          operands_of(command.name));
  }
  script += "  esac\n";
  script += fmt::format("  local commands='{}'\n", names);
  return script.append(kBashTail);
}

std::string zsh_completion() {
  std::string script(kZshHead), descriptions;
  script += fmt::format("  local -a global_options=({})\n", kGlobalOptions);
  script += "  case $command in\n";
  for (const Command& command : commands()) {
    if (command.group.empty()) continue;
    descriptions += fmt::format("    '{}:{}'\n", command.name, command.summary);
    script += fmt::format("    {}) options=({}) operands={} ;;\n", command.name, options_of(command),
                          operands_of(command.name));
  }
  script += fmt::format("  esac\n  commands=(\n{}  )\n", descriptions);
  return script.append(kZshTail);
}

}  // namespace hawser::cli
