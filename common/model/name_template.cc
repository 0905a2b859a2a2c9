// SPDX-License-Identifier: MIT
#include "common/model/name_template.h"

#include "common/base/text.h"

namespace aisfs {
namespace {

Error bad(std::string_view what) {
  return Error(Errc::invalid_argument,
               "template: " + std::string(what) + "; it looks like shard-{000..999}.tar");
}

}  // namespace

Result<NameTemplate::Range> NameTemplate::parse_range(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  Range range;
  while (true) {
    const auto dots = text.find("..");
    const std::string_view digits = text.substr(0, dots);
    const auto number = parse_u64(digits);
    if (!number) return bad("\"" + std::string(digits) + "\" is no number");
    if (numbers.empty()) range.width = digits.size();
    numbers.push_back(*number);
    if (dots == text.npos) break;
    text.remove_prefix(dots + 2);
  }
  if (numbers.size() < 2 || numbers.size() > 3)
    return bad("a range is {first..last} or with ..step");
  range.first = numbers[0];
  if (numbers.size() == 3) range.step = numbers[2];
  if (range.step == 0 || numbers[1] < numbers[0]) return bad("a range runs upwards");
  const std::uint64_t steps = (numbers[1] - numbers[0]) / range.step;
  if (steps >= kNamesMax) return bad("it stands for too many names");
  range.count = steps + 1;
  return range;
}

Result<NameTemplate> NameTemplate::parse(std::string_view text) {
  NameTemplate made;
  while (true) {
    const auto open = text.find('{');
    const std::string_view before = text.substr(0, open);
    if (before.find('}') != before.npos) return bad("a '}' without its '{'");
    made.texts_.emplace_back(before);
    if (open == text.npos) break;
    text.remove_prefix(open + 1);
    const auto close = text.find('}');
    if (close == text.npos) return bad("a '{' without its '}'");
    TRY(const Range range, parse_range(text.substr(0, close)));
    if (range.count > kNamesMax / made.count_) return bad("it stands for too many names");
    made.count_ *= range.count;
    made.ranges_.push_back(range);
    text.remove_prefix(close + 1);
  }
  return made;
}

std::string NameTemplate::at(std::uint64_t index) const {
  std::vector<std::string> numbers(ranges_.size());
  for (std::size_t i = ranges_.size(); i-- > 0;) {
    const Range& range = ranges_[i];
    numbers[i] = std::to_string(range.first + index % range.count * range.step);
    if (numbers[i].size() < range.width) numbers[i].insert(0, range.width - numbers[i].size(), '0');
    index /= range.count;
  }
  std::string name = texts_.front();
  for (std::size_t i = 0; i < numbers.size(); ++i) name += numbers[i] + texts_[i + 1];
  return name;
}

}  // namespace aisfs
