// `.flairignore`: which untracked files `add` and `status` pass over.
//
// The rules are gitignore's: one pattern a line, '#' comments, '!' takes back, a
// '/' at the end means folders only, a '/' elsewhere ties the pattern to the
// folder of the file, '*' and '?' stop at '/', '**' does not; the last match
// decides. The files of all folders count, the deeper one last.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flair {

class IgnoreRules {
 public:
  // `folder` is the repository path of the file's folder ("" for the root).
  void AddFile(std::string_view folder, std::string_view text);
  // Does not look at parents: a walk asks for each folder before entering it.
  bool Ignores(std::string_view path, bool is_folder) const;

 private:
  struct Rule {
    std::string folder;   // with '/' at the end unless the root
    std::string pattern;  // without the marks
    bool negated = false;
    bool folders_only = false;
    bool anchored = false;
  };
  std::vector<Rule> rules_;
};

}  // namespace flair
