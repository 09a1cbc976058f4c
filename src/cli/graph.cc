// SPDX-License-Identifier: Apache-2.0
#include "cli/graph.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace flair::cli {
namespace {

// Lane l is column 2 l. A row's own line: '*' at its lane, '|' at the others.
std::string CommitColumns(const GraphRow& row, const std::vector<std::size_t>& lanes) {
  std::string out(2 * row.num_lanes, ' ');
  for (const std::size_t lane : lanes) {
    if (2 * lane < out.size()) out[2 * lane] = '|';
  }
  out.resize(std::max(out.size(), 2 * row.lane + 2), ' ');
  out[2 * row.lane] = '*';
  return out;
}

// Lines that lead from lanes to lanes: straight ones only, '|'.
std::string StraightColumns(const GraphRow& row) {
  std::string out;
  for (const auto& e : row.edges) {
    if (out.size() < 2 * e.from + 2) out.resize(2 * e.from + 2, ' ');
    out[2 * e.from] = '|';
  }
  return out;
}

// One line of slants, when an edge changes its lane: '\' to the right, '/' to the left,
// '_' on the way for more than one lane.
std::string SlantColumns(const GraphRow& row) {
  std::string out;
  const auto put = [&out](std::size_t column, char c) {
    if (out.size() < column + 1) out.resize(column + 1, ' ');
    if (out[column] == ' ' || out[column] == '_') out[column] = c;
  };
  bool any = false;
  for (const auto& e : row.edges) {
    if (e.from == e.to) put(2 * e.from, '|');
  }
  for (const auto& e : row.edges) {
    if (e.from == e.to) continue;
    any = true;
    const std::size_t low = std::min(e.from, e.to);
    const std::size_t high = std::max(e.from, e.to);
    if (e.from < e.to) {
      put(2 * high - 1, '\\');
      for (std::size_t c = 2 * low + 1; c + 1 < 2 * high; ++c) put(c, '_');
    } else {
      put(2 * high - 1, '/');
      for (std::size_t c = 2 * low + 1; c + 1 < 2 * high; ++c) put(c, '_');
    }
  }
  return any ? out : "";
}

std::string Trimmed(std::string line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + "\n";
}

}  // namespace

std::string DrawGraph(const std::vector<GraphRow>& rows, const std::vector<std::string>& texts) {
  std::string out;
  std::vector<std::size_t> lanes;  // in use when the row begins
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const GraphRow& row = rows[i];
    std::string columns = CommitColumns(row, lanes);
    const std::string further = StraightColumns(row);
    std::string_view text = texts[i];
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      columns.resize(std::max({columns.size(), further.size(), 2 * row.num_lanes}), ' ');
      out += Trimmed(columns + std::string(text.substr(0, end)));
      text = end < text.size() ? text.substr(end + 1) : std::string_view();
      columns = further;
    }
    if (const std::string slants = SlantColumns(row); !slants.empty()) out += Trimmed(slants);
    lanes.clear();
    for (const auto& e : row.edges) lanes.push_back(e.to);
  }
  return out;
}

}  // namespace flair::cli
