// `flair wallet`: the key that signs commits and signs in at hubs.
//
// A secret never appears in an argument, an error or a log: keys come from files or
// standard input and go to files of mode 0600.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <boost/json/object.hpp>
#include <iostream>
#include <iterator>
#include <memory>
#include <ostream>

#include "base/hex.h"
#include "base/path.h"
#include "cli/session.h"
#include "remote/keyfile.h"

namespace flair::cli {
namespace {

constexpr std::uint64_t kMaxSignedBytes = std::uint64_t{64} << 20;
constexpr std::size_t kMaxStdinBytes = 4096;

// Where `new` and `import` write: --keypair, FLAIR_KEYPAIR, else Flair's own place.
Result<std::string> TargetPath(Session& s) {
  if (!s.options.keypair.empty()) return s.Absolute(s.options.keypair);
  if (const auto path = s.Variable("FLAIR_KEYPAIR"); path && !path->empty()) {
    return s.Absolute(*path);
  }
  FLAIR_TRY(const std::string dir, s.ConfigDir());
  return JoinPath(dir, "id.json");
}

ExitCode SayWallet(Session& s, const Wallet& wallet, const std::string& path) {
  s.out() << wallet.ToBase58() << "\n";
  s.note() << "key: " << path << "\n";
  s.Document(json::object{{"address", wallet.ToBase58()}, {"path", path}});
  return ExitCode::kOk;
}

Run DefineNew(Options&) {
  return [](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const std::string path, TargetPath(s));
    std::array<std::byte, 32> seed;
    s.env().RandomBytes(seed);
    const Keypair key = Keypair::FromSeed(seed);
    seed.fill(std::byte{0});
    FLAIR_DO(WriteKeypair(s.env(), path, key));
    return SayWallet(s, key.wallet(), path);
  };
}

Run DefineShow(Options&) {
  return [](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const std::string path, s.KeypairPath());
    FLAIR_TRY(const Keypair key, ReadKeypair(s.env(), path));
    return SayWallet(s, key.wallet(), path);
  };
}

Run DefineImport(Options& o) {
  auto from = std::make_shared<std::string>();
  o.One("FILE", *from, "Key file: a list of 64 numbers, or base58; - reads standard input",
        Need::kRequired);
  return [from](Session& s) -> Result<ExitCode> {
    std::string text;
    if (*from == "-") {
      text.resize(kMaxStdinBytes);
      std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
      text.resize(static_cast<std::size_t>(std::cin.gcount()));
    } else {
      FLAIR_TRY(const Bytes raw, ReadFile(s.env(), s.Absolute(*from), kMaxStdinBytes));
      text = AsText(raw);
    }
    auto key = ParseKeypair(text);
    text.assign(text.size(), '\0');
    if (!key.ok()) {
      const std::string what = *from == "-" ? "standard input" : *from;
      return Error(ErrorCode::kInvalidArgument, what + ": " + key.error().message());
    }
    FLAIR_TRY(const std::string path, TargetPath(s));
    FLAIR_DO(WriteKeypair(s.env(), path, *key));
    return SayWallet(s, key->wallet(), path);
  };
}

struct MessageArgs {
  std::string wallet;
  std::string signature;
  std::optional<std::string> text;
  std::optional<std::string> file;
};

Result<Bytes> MessageOf(Session& s, const MessageArgs& args) {
  if (args.file) return ReadFile(s.env(), s.Absolute(*args.file), kMaxSignedBytes);
  return ToBytes(*args.text);
}

Run DefineSign(Options& o) {
  auto args = std::make_shared<MessageArgs>();
  o.Value("--text", args->text, "The text to sign");
  o.Value("--file", args->file, "The file to sign");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->text.has_value() == args->file.has_value()) {
      return ReportUsage(s, "give either --text or --file");
    }
    FLAIR_TRY(const Bytes message, MessageOf(s, *args));
    FLAIR_TRY(const Keypair key, s.LoadKeypair());
    const std::string signature = ToHex(key.Sign(message));
    s.out() << signature << "\n";
    s.Document(json::object{{"address", key.wallet().ToBase58()}, {"signature", signature}});
    return ExitCode::kOk;
  };
}

Run DefineVerify(Options& o) {
  auto args = std::make_shared<MessageArgs>();
  o.One("WALLET", args->wallet, "The signer's address", Need::kRequired);
  o.One("SIGNATURE", args->signature, "128 hex digits", Need::kRequired);
  o.Value("--text", args->text, "The signed text");
  o.Value("--file", args->file, "The signed file");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->text.has_value() == args->file.has_value()) {
      return ReportUsage(s, "give either --text or --file");
    }
    const auto named = Wallet::FromBase58(args->wallet);
    if (!named.ok()) return ReportUsage(s, named.error());
    const Wallet wallet = *named;
    const auto raw = FromHex(args->signature);
    Signature signature;
    if (!raw.ok() || raw->size() != signature.size()) {
      return ReportUsage(s, "a signature is 128 hex digits");
    }
    std::copy(raw->begin(), raw->end(), signature.begin());
    FLAIR_TRY(const Bytes message, MessageOf(s, *args));
    FLAIR_DO(VerifySignature(wallet, message, signature));
    s.out() << "good signature by " << wallet.ToBase58() << "\n";
    s.Document(json::object{{"address", wallet.ToBase58()}, {"valid", true}});
    return ExitCode::kOk;
  };
}

const CommandSpec kNew = {
    .name = "new", .summary = "Make a key", .example = "flair wallet new", .define = DefineNew};
const CommandSpec kShow = {.name = "show",
                           .summary = "Show the wallet in use",
                           .example = "flair wallet show",
                           .define = DefineShow};
const CommandSpec kImport = {.name = "import",
                             .summary = "Take an existing key",
                             .example = "flair wallet import ~/solana/id.json",
                             .define = DefineImport};
const CommandSpec kSign = {.name = "sign",
                           .summary = "Sign a text or a file",
                           .example = "flair wallet sign --text 'hello'",
                           .define = DefineSign};
const CommandSpec kVerify = {.name = "verify",
                             .summary = "Check a signature",
                             .example = "flair wallet verify WALLET SIGNATURE --text 'hello'",
                             .define = DefineVerify};
const CommandSpec* const kSubcommands[] = {&kNew, &kShow, &kImport, &kSign, &kVerify};

}  // namespace

extern const CommandSpec kWalletCommand = {
    .name = "wallet",
    .summary = "The key that signs your commits: new, show, import, sign, verify",
    .example = "flair wallet new",
    .subcommands = kSubcommands};

}  // namespace flair::cli
