// SPDX-License-Identifier: Apache-2.0
#include "cli/transfer_view.h"

#include <ostream>

#include "cli/hub_connection.h"
#include "cli/objects_view.h"
#include "cli/render.h"
#include "repo/refs.h"

namespace flair::cli {

json::object FetchJson(const FetchOutcome& outcome) {
  json::array refs;
  for (const RefChangeSeen& r : outcome.refs) {
    refs.push_back(json::object{{"name", r.name}, {"from", IdJson(r.from)}, {"to", IdJson(r.to)}});
  }
  return {{"refs", std::move(refs)},
          {"received_bytes", outcome.received_bytes},
          {"resumed_bytes", outcome.resumed_bytes},
          {"model_bytes", outcome.model_bytes}};
}

void TellFetch(Session& s, const FetchOutcome& outcome) {
  std::vector<std::vector<std::string>> rows;
  for (const RefChangeSeen& r : outcome.refs) {
    rows.push_back({Printable(ShortRefName(r.name)), (r.from ? r.from->Short() : "new") + " -> " +
                                                         (r.to ? r.to->Short() : "deleted")});
  }
  s.out() << Table(rows);
  if (outcome.received_bytes + outcome.resumed_bytes > 0) {
    s.out() << "received " << TransferText(outcome.received_bytes, outcome.resumed_bytes);
    if (outcome.model_bytes > 0) {
      s.out() << " of a " << FormatBytes(outcome.model_bytes) << " model";
    }
    s.out() << "\n";
  }
}

}  // namespace flair::cli
