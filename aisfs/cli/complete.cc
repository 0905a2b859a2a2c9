// SPDX-License-Identifier: MIT
#include "aisfs/cli/complete.h"

#include "common/base/text.h"

namespace aisfs::cli {
namespace {

const Command* find_sub(const Command& command, std::string_view name) {
  for (const auto& sub : command.subs()) {
    if (sub->name() == name) return sub.get();
  }
  return nullptr;
}

void add_fitting(std::vector<std::string>& into,
                 const std::string& candidate,
                 std::string_view word) {
  if (candidate.starts_with(word)) into.push_back(candidate);
}

Names names_at(const Command& command, std::size_t position) {
  const auto& positional = command.positional();
  if (positional.empty()) return Names::kText;
  return positional[std::min(position, positional.size() - 1)];  // the last may repeat
}

}  // namespace

CompletionRequest complete_line(const Command& root, std::string_view line) {
  std::vector<std::string_view> words;
  for (std::string_view word : split(line, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  CompletionRequest request;
  if (!line.ends_with(' ') && !words.empty()) {
    request.word = words.back();
    words.pop_back();
  }

  const Command* command = &root;
  std::size_t position = 0;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const Command* sub = position == 0 ? find_sub(*command, words[i]) : nullptr;
    if (sub != nullptr)
      command = sub;
    else if (!words[i].starts_with('-'))
      ++position;
  }

  if (request.word.starts_with('-')) {
    for (const std::string& option : command->long_options())
      add_fitting(request.fixed, option, request.word);
    for (const std::string& option : root.long_options()) {
      if (command != &root) add_fitting(request.fixed, option, request.word);
    }
    return request;
  }
  for (const auto& sub : command->subs()) {
    if (!sub->hidden()) add_fitting(request.fixed, sub->name(), request.word);
  }
  if (command->subs().empty()) request.names = names_at(*command, position);
  return request;
}

std::string_view bash_completion_script() {
  // Bash splits words at ':', so what stands before the last ':' of the word is cut off again.
  return R"bash(# ais completion: eval "$(ais completion bash)"
_ais_complete() {
  local line=${COMP_LINE:0:COMP_POINT} word before reply
  word=${line##* }
  mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" __complete -- "$line" 2>/dev/null)
  for reply in "${COMPREPLY[@]}"; do
    [[ $reply != */ ]] || compopt -o nospace
  done
  if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
    before=${word%"${word##*:}"}
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
  fi
}
complete -o default -F _ais_complete ais
)bash";
}

}  // namespace aisfs::cli
