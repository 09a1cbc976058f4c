// SPDX-License-Identifier: Apache-2.0
#include "hub/meta/cards.h"

namespace flair::hub {

Result<std::optional<CardRow>> FindCard(Database& db, std::string_view repo_id,
                                        const Digest& card) {
  FLAIR_TRY(Statement s, db.Prepare("SELECT wallet, body, created_s FROM cards "
                                    "WHERE repo_id=? AND card=?"));
  s.Bind(1, repo_id).Bind(2, card);
  FLAIR_TRY(const bool found, s.Step());
  if (!found) return std::optional<CardRow>();
  return std::optional(
      CardRow{.card = card, .wallet = s.Text(0), .text = s.Text(1), .created_s = s.Int(2)});
}

Result<std::vector<CardRow>> ListCards(Database& db, std::string_view repo_id) {
  FLAIR_TRY(Statement rows, db.Prepare("SELECT card, wallet, created_s FROM cards "
                                       "WHERE repo_id=? ORDER BY created_s, card"));
  rows.Bind(1, repo_id);
  std::vector<CardRow> out;
  while (true) {
    FLAIR_TRY(const bool more, rows.Step());
    if (!more) return out;
    CardRow row{.wallet = rows.Text(1), .text = "", .created_s = rows.Int(2)};
    FLAIR_TRY(row.card, rows.DigestAt(0));
    out.push_back(std::move(row));
  }
}

Result<std::int64_t> CountCards(Database& db, std::string_view repo_id, std::string_view wallet) {
  FLAIR_TRY(Statement s, db.Prepare("SELECT COUNT(*) FROM cards WHERE repo_id=? AND wallet=?"));
  s.Bind(1, repo_id).Bind(2, wallet);
  FLAIR_TRY(const bool found, s.Step());
  return found ? s.Int(0) : 0;
}

Status InsertCard(Database& db, std::string_view repo_id, const CardRow& card) {
  FLAIR_TRY(Statement s, db.Prepare("INSERT INTO cards(repo_id, card, wallet, body, created_s) "
                                    "VALUES(?,?,?,?,?)"));
  s.Bind(1, repo_id).Bind(2, card.card).Bind(3, std::string_view(card.wallet));
  s.Bind(4, std::string_view(card.text)).Bind(5, card.created_s);
  return s.Run();
}

Result<std::optional<AttachmentId>> FindTicket(Database& db, std::string_view repo_id,
                                               const TicketKey& key) {
  FLAIR_TRY(Statement s, db.Prepare("SELECT attachment FROM tickets "
                                    "WHERE repo_id=? AND parent=? AND card=? AND wallet=?"));
  s.Bind(1, repo_id).Bind(2, key.parent.digest).Bind(3, key.card);
  s.Bind(4, std::string_view(key.wallet));
  FLAIR_TRY(const bool found, s.Step());
  if (!found) return std::optional<AttachmentId>();
  FLAIR_TRY(const Digest id, s.DigestAt(0));
  return std::optional(AttachmentId{id});
}

Status InsertTicket(Database& db, std::string_view repo_id, const TicketKey& key,
                    const AttachmentId& ticket, std::int64_t now_s) {
  FLAIR_TRY(Statement s,
            db.Prepare("INSERT INTO tickets(repo_id, parent, card, wallet, attachment, created_s) "
                       "VALUES(?,?,?,?,?,?)"));
  s.Bind(1, repo_id).Bind(2, key.parent.digest).Bind(3, key.card);
  s.Bind(4, std::string_view(key.wallet)).Bind(5, ticket.digest).Bind(6, now_s);
  return s.Run();
}

}  // namespace flair::hub
