// The extension flair._core: doors from Python into repo and remote.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>

#include "base/env.h"
#include "bindings.h"
#include "object/commit.h"
#include "remote/keyfile.h"

namespace flair::python {

ProgressSink Interruptible() {
  using Clock = std::chrono::steady_clock;
  auto next = std::make_shared<Clock::time_point>(Clock::now());
  return [next](const Progress&) -> Status {
    const auto now = Clock::now();
    if (now < *next) return OkStatus();
    *next = now + std::chrono::milliseconds(50);
    nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() == 0) return OkStatus();
    PyErr_Clear();
    return Error(ErrorCode::kCancelled, "interrupted").WithHint("the same call goes on from here");
  };
}

Keypair KeypairFrom(const nb::bytes& secret) {
  return Unwrap(Keypair::FromSecret(AsBytes(std::string_view(secret.c_str(), secret.size()))));
}

std::optional<std::string> HexOf(const std::optional<CommitId>& id) {
  if (!id) return std::nullopt;
  return id->ToHex();
}

namespace {

void RaiseCoreError(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const CoreError& e) {
    const nb::object made =
        nb::module_::import_("flair.errors")
            .attr("from_core")(static_cast<int>(e.error.code()), e.error.message(), e.error.hint());
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
  }
}

// The 64 bytes of a new random key.
nb::bytes NewSecret() {
  std::array<std::byte, 32> seed{};
  PosixEnv().RandomBytes(seed);
  const Keypair key = Keypair::FromSeed(seed);
  return nb::bytes(key.secret().data(), key.secret().size());
}

// A key file, in the forms that the command line reads.
nb::bytes SecretFromFile(const std::string& path) {
  const Keypair key = Unwrap(ReadKeypair(PosixEnv(), path));
  const auto secret = key.secret();
  return nb::bytes(reinterpret_cast<const char*>(secret.data()), secret.size());
}

std::string WalletOf(const nb::bytes& secret) { return KeypairFrom(secret).wallet().ToBase58(); }

}  // namespace
}  // namespace flair::python

NB_MODULE(_core, m) {
  using namespace flair::python;
  nb::register_exception_translator(RaiseCoreError);
  m.doc() = "The core of Flair. Use the package flair; names here may change.";
  m.attr("MAX_SAMPLES") = flair::kMaxSamples;
  m.def("new_secret", NewSecret);
  m.def("read_secret", SecretFromFile, nb::arg("path"));
  m.def("wallet_of", WalletOf, nb::arg("secret"));
  BindRepository(m);
  BindProgram(m);
}
